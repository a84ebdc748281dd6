// Asks before what cannot be undone: by the dialog `sure` of the page.

/** Whether a person says yes to the question. */
export function isSure(question) {
  const dialog = document.getElementById("sure");
  document.getElementById("sure-words").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
