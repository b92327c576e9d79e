/* Suggestions for core.lookups: fills the list of an input while one types, and remembers the key of what was chosen.
   Without this file the server looks up what was typed. */
(() => {
  const WAIT = 200;

  const start = (box) => {
    const input = box.querySelector("input[type=text]");
    const list = box.querySelector("datalist");
    const key = box.querySelector("input[type=hidden]");
    const url = box.dataset.lookup;
    if (!input || !list || !url) return;
    const known = new Map();
    let timer = 0;
    let asked = "";

    const choose = () => { if (key) key.value = known.get(input.value) ?? ""; };

    const ask = async () => {
      const text = input.value.trim();
      if (!text || text === asked || known.has(text)) return;
      asked = text;
      const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
      if (!answer.ok || asked !== text) return;
      const { results } = await answer.json();
      list.replaceChildren(...results.map(({ id, text: words }) => {
        known.set(words, String(id));
        const option = document.createElement("option");
        option.value = words;
        return option;
      }));
    };

    input.addEventListener("input", () => {
      choose();
      clearTimeout(timer);
      timer = setTimeout(() => ask().catch(() => {}), WAIT);
    });
    input.addEventListener("change", choose);
  };

  for (const box of document.querySelectorAll("[data-lookup]")) start(box);
})();
