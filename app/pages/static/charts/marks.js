// Where a change of the epoch target or a stop took effect, out of the run's events.
import { API } from "../frame/api.js";

/** Marks of a run: {epoch, step, words}; none where there are no events yet. */
export async function marksOf(id) {
  try {
    const answer = await fetch(`${API}/runs/${id}/artifacts/events.jsonl`);
    if (!answer.ok) return [];
    const lines = (await answer.text()).split("\n").filter((line) => line.includes('"signal"'));
    return lines.map((line) => JSON.parse(line)).filter((event) => event.event === "signal").map((event) => ({
      epoch: event.epoch,
      step: event.step,
      words: event.signal === "stop" ? `stop, step ${event.step}` : `target ${event.value}, step ${event.step}`,
    }));
  } catch {
    return [];
  }
}
