// Whether this browser shows pictures of data: theme.js looks before the first paint.
const box = document.getElementById("pictures");

box.checked = !document.documentElement.classList.contains("no-pictures");
box.addEventListener("change", () => {
  if (box.checked) localStorage.removeItem("trainyard-pictures");
  else localStorage.setItem("trainyard-pictures", "off");
  document.documentElement.classList.toggle("no-pictures", !box.checked);
});
