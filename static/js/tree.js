/* The tree of places: branches open and close in place, and the address remembers which. Arrow keys walk the toggles.
   Without this file each toggle is a link to the page with that branch open. */
(() => {
  const tree = document.querySelector("[data-tree]");
  if (!tree) return;

  const remember = (pk, open) => {
    const address = new URL(location.href);
    const opened = new Set((address.searchParams.get("open") ?? "").split(",").filter(Boolean));
    if (open) opened.add(pk);
    else opened.delete(pk);
    if (opened.size) address.searchParams.set("open", [...opened].join(","));
    else address.searchParams.delete("open");
    address.hash = "";
    history.replaceState(null, "", address.href.replaceAll("%2C", ","));
  };

  const branchOf = (toggle) => toggle.closest("li").querySelector(":scope > ul");

  const set = async (toggle, open) => {
    const pk = toggle.dataset.branch;
    if (open && !branchOf(toggle)) {
      toggle.setAttribute("aria-busy", "true");
      const answer = await fetch(`${location.pathname}?branch=${pk}`, { credentials: "same-origin" });
      toggle.removeAttribute("aria-busy");
      // Signed out, or the place is gone: the link itself says so.
      if (!answer.ok || answer.redirected) { location.assign(toggle.href); return; }
      toggle.closest("li").insertAdjacentHTML("beforeend", await answer.text());
    }
    const branch = branchOf(toggle);
    if (branch) branch.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    remember(pk, open);
  };

  const isOpen = (toggle) => toggle.getAttribute("aria-expanded") === "true";

  tree.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-branch]");
    if (!toggle || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    set(toggle, !isOpen(toggle)).catch(() => location.assign(toggle.href));
  });

  tree.addEventListener("keydown", (event) => {
    const toggle = event.target.closest("[data-branch]");
    if (!toggle) return;
    const shown = [...tree.querySelectorAll("[data-branch]")].filter((one) => one.offsetParent);
    const at = shown.indexOf(toggle);
    const go = (one) => { event.preventDefault(); one?.focus(); };
    if (event.key === "ArrowDown") go(shown[at + 1]);
    else if (event.key === "ArrowUp") go(shown[at - 1]);
    else if (event.key === "ArrowRight") {
      event.preventDefault();
      if (!isOpen(toggle)) set(toggle, true).catch(() => location.assign(toggle.href));
      else go(branchOf(toggle)?.querySelector("[data-branch]"));
    } else if (event.key === "ArrowLeft") {
      if (isOpen(toggle)) { event.preventDefault(); set(toggle, false); }
      else go(toggle.closest("ul").closest("li")?.querySelector("[data-branch]"));
    }
  });

  // One menu at a time, and none when one looks elsewhere.
  document.addEventListener("click", (event) => {
    tree.querySelectorAll("details[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
})();
