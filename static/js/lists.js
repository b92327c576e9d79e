/* Admin lists: choose the whole page, and say how many are chosen. Without this file each row is still chosen by hand. */
(() => {
  const all = document.querySelector("[data-choose-all]");
  const rows = [...document.querySelectorAll("input.action-select")];
  const told = document.querySelector("[data-chosen]");
  if (!rows.length) return;

  const tell = () => {
    const count = rows.filter((row) => row.checked).length;
    if (told) told.textContent = String(count);
    if (all) {
      all.checked = count === rows.length;
      all.indeterminate = count > 0 && count < rows.length;
    }
  };

  if (all) {
    all.closest("label").hidden = false;
    all.addEventListener("change", () => {
      for (const row of rows) row.checked = all.checked;
      tell();
    });
  }
  for (const row of rows) row.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);
})();

/* A filter that was left alone says nothing in the address. */
(() => {
  const bar = document.querySelector("[data-list-bar]");
  bar?.addEventListener("submit", () => {
    const empty = [...bar.elements].filter((field) => field.name && !field.value);
    for (const field of empty) field.disabled = true;
    setTimeout(() => { for (const field of empty) field.disabled = false; });
  });
})();
