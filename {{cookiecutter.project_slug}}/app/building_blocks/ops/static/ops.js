// Keeps the overview up to date: fetches the page again and takes its numbers over.
"use strict";

(() => {
  const control = document.querySelector("[data-refresh]");
  const live = document.getElementById("live");
  if (!control || !live) return;

  const says = control.querySelector("[data-says]");
  const pause = control.querySelector("[data-pause]");
  const seconds = Number(control.dataset.refresh);
  let isPaused = false;
  let timer = 0;

  const isInUse = () =>
    live.contains(document.activeElement) || String(getSelection()).length > 0;

  const takeOver = (page) => {
    const fresh = page.getElementById("live");
    const open = [...live.querySelectorAll("details[open]")].map((one) => one.id);
    for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    live.replaceChildren(...fresh.childNodes);
    says.textContent = page.querySelector("[data-says]").textContent;
  };

  const refresh = async () => {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected || answer.status === 401) {
        location.assign(control.dataset.login);
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!isPaused && !isInUse()) takeOver(page);
    } catch {
      says.textContent = "the service does not answer; trying again";
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (isPaused) return;
    timer = setTimeout(() => (document.hidden || isInUse() ? plan() : refresh()), seconds * 1000);
  };

  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    plan();
  });
  control.querySelector("[data-again]").hidden = true;
  pause.hidden = false;
  plan();
})();
