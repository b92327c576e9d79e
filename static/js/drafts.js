/* What was typed survives a lost signal: <form data-draft="report">. Kept on this phone alone, forgotten once the form
   went through (the page that follows says <body data-draft-done="report"> or any element with it), or after a week. */
(() => {
  const words = document.currentScript.dataset; // said by the template, so that they can be translated
  const PREFIX = "jingwei.draft.";
  const WEEK = 7 * 24 * 3600 * 1000;
  const store = (() => {
    try {
      const probe = PREFIX + "probe";
      localStorage.setItem(probe, "1");
      localStorage.removeItem(probe);
      return localStorage;
    } catch {
      return null; // private mode, or storage full
    }
  })();
  if (!store) return;

  const read = (key) => {
    try {
      const draft = JSON.parse(store.getItem(PREFIX + key));
      if (draft && Date.now() - draft.at < WEEK) return draft.values;
    } catch { /* not ours, or cut short */ }
    store.removeItem(PREFIX + key);
    return null;
  };

  const keeps = (field) => field.name && field.name !== "csrfmiddlewaretoken"
    && !["password", "file", "hidden", "submit", "button"].includes(field.type) && !field.closest("[data-no-draft]");

  const collect = (form) => {
    const values = {};
    for (const field of form.elements) {
      if (!keeps(field)) continue;
      if (field.type === "radio" || field.type === "checkbox") {
        if (field.checked) (values[field.name] ??= []).push(field.value);
      } else if (field.value) {
        values[field.name] = [field.value];
      }
    }
    return values;
  };

  const restore = (form, values) => {
    let changed = false;
    for (const field of form.elements) {
      if (!keeps(field) || !(field.name in values)) continue;
      if (field.type === "radio" || field.type === "checkbox") {
        const checked = values[field.name].includes(field.value);
        changed ||= checked !== field.checked;
        field.checked = checked;
      } else if (!field.value && values[field.name][0]) {
        // What the server put there (a refused form) is newer than the draft.
        field.value = values[field.name][0];
        changed = true;
      }
    }
    return changed;
  };

  const note = (form, key) => {
    const line = document.createElement("p");
    line.className = "draft-note";
    line.setAttribute("role", "status");
    line.append(words.restored);
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "switch";
    drop.textContent = words.drop;
    drop.addEventListener("click", () => {
      store.removeItem(PREFIX + key);
      form.reset();
      line.remove();
    });
    line.append(drop);
    form.prepend(line);
  };

  for (const done of document.querySelectorAll("[data-draft-done]")) store.removeItem(PREFIX + done.dataset.draftDone);

  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = form.dataset.draft;
    const values = read(key);
    if (values && restore(form, values)) note(form, key);
    let timer;
    const save = () => {
      clearTimeout(timer);
      const now = collect(form);
      try {
        if (Object.keys(now).length) store.setItem(PREFIX + key, JSON.stringify({ at: Date.now(), values: now }));
        else store.removeItem(PREFIX + key);
      } catch { /* storage full: typing goes on */ }
    };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(save, 300); });
    form.addEventListener("change", save);
    form.addEventListener("submit", save);
    window.addEventListener("pagehide", () => { if (timer) save(); });
  }
})();
