// The preview of a schedule, while somebody types. What it says comes from the server; here is no knowledge of times.
const PAUSE_MS = 150;
const LONGEST = 2000;
const NOT_IN_ADDRESSES = ["etag", "of", "do", "command", "environment"];

export function start() {
  const form = document.getElementById("editor");
  const save = document.getElementById("save");
  let waiting, asking;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE_MS); };
  form.addEventListener("input", soon);
  form.addEventListener("change", () => { remember(); soon(); }); // as when a link is pressed next
  form.querySelector("[data-preview]").hidden = true;
  judge();
  if ([...form.elements].some((field) => field.defaultValue !== undefined && field.value !== field.defaultValue)) soon(); // typed before this came

  async function ask() {
    asking?.abort(); // an answer to what was typed before is no answer now
    const mine = asking = new AbortController();
    remember();
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch("/schedules/preview", { method: "POST", body, signal: mine.signal });
      if (!answer.ok) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asking) show(found);
    } catch (error) {
      if (error.name !== "AbortError") save.disabled = false; // the server says what is wrong when it is saved
    }
  }

  // The address of a new schedule has what was typed, so that going back, or loading it again, loses nothing.
  function remember() {
    if (form.elements.of.value) return;
    const said = [...new FormData(form)].filter(([name, value]) => value && !NOT_IN_ADDRESSES.includes(name));
    if (form.elements.command) said.push(["what", "command"]);
    const query = new URLSearchParams(said).toString();
    if (query.length <= LONGEST) history.replaceState(history.state, "", `?${query}`);
  }

  function show(found) {
    const sentence = document.getElementById("preview-sentence");
    const said = found.getElementById("preview-sentence").textContent;
    if (sentence.textContent !== said) sentence.textContent = said; // it is read aloud when it changes
    document.getElementById("preview-rest").replaceWith(found.getElementById("preview-rest"));
    document.getElementById("preview").dataset.good = found.getElementById("preview").dataset.good;
    judge();
  }

  function judge() {
    save.disabled = document.getElementById("preview").dataset.good === "no";
  }
}
