"use strict";
(() => {
  const outlines = document.getElementById("show-outlines");
  if (outlines) {
    outlines.addEventListener("change", () => {
      for (const frame of document.querySelectorAll(".frame")) frame.classList.toggle("bare", !outlines.checked);
    });
  }
  for (const box of document.querySelectorAll("input[data-layer]")) {
    box.addEventListener("change", () => document.querySelector(".map").classList.toggle(`no-${box.dataset.layer}`, !box.checked));
  }
  for (const turn of document.querySelectorAll(".turn:not(.still)")) {
    const slider = turn.querySelector("input");
    const stage = turn.querySelector(".stage-turn");
    const strip = stage.querySelector("img");
    const n = Number(slider.max) + 1;
    const show = () => { strip.style.transform = `translateX(${-100 * slider.value / n}%)`; };
    slider.addEventListener("input", show);
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, value: Number(slider.value) };
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      // Half a turn over the picture's width.
      const steps = Math.round((event.clientX - from.x) / stage.clientWidth * n / 2);
      slider.value = String((((from.value - steps) % n) + n) % n);
      show();
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { from = null; });
  }
  const data = document.getElementById("cards");
  if (!data) return;
  const cards = JSON.parse(data.textContent);
  const byId = new Map(cards.particles.map((card, place) => [card.id, place]));
  const number = document.getElementById("particle");
  const message = document.getElementById("message");
  let shown = 0;

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const drawing = (card) => {
    const box = element("div");
    box.className = "box";
    if (!card.picture) return element("p", "The store has no frame for this particle.");
    box.style.aspectRatio = String(card.ratio);
    const image = element("img");
    image.src = card.picture;
    image.alt = card.title;
    const space = "http:" + "//www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", `0 0 ${card.width} ${card.height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    for (const line of card.paths) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", line);
      path.setAttribute("stroke", card.colour);
      svg.append(path);
    }
    box.append(image, svg);
    if (card.bar) {
      const bar = element("div");
      bar.className = "bar";
      bar.style.width = `${card.bar}%`;
      bar.append(element("span", card.bar_text));
      box.append(bar);
    }
    return box;
  };

  const show = (place) => {
    shown = place;
    const card = cards.particles[place];
    number.value = card.id;
    message.textContent = "";
    document.getElementById("card-title").textContent = card.cluster ? `${card.title} · ${card.cluster}` : card.title;
    document.getElementById("card-picture").replaceChildren(drawing(card));
    document.getElementById("card-values").replaceChildren(
      ...cards.names.map(([name, meaning], i) => {
        const row = element("div");
        row.title = meaning;
        row.append(element("dt", name), element("dd", card.values[i]));
        return row;
      })
    );
    for (const path of document.querySelectorAll("path[data-particle]")) {
      path.classList.toggle("chosen", Number(path.dataset.particle) === card.id);
    }
  };

  const choose = (id) => {
    const place = byId.get(id);
    if (place !== undefined) {
      show(place);
      return true;
    }
    if (!Number.isInteger(id) || id < 0 || id >= cards.total) {
      message.textContent = `There are particles 0 to ${cards.total - 1}.`;
      return false;
    }
    let nearest = 0;
    cards.particles.forEach((card, i) => {
      if (Math.abs(card.id - id) < Math.abs(cards.particles[nearest].id - id)) nearest = i;
    });
    show(nearest);
    message.textContent = `Particle ${id} is not among the cards; the nearest one is shown.`;
    return true;
  };

  document.getElementById("choose").addEventListener("submit", (event) => {
    event.preventDefault();
    choose(number.value === "" ? NaN : Number(number.value));
  });
  const step = (by) => show((shown + by + cards.particles.length) % cards.particles.length);
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));
  for (const path of document.querySelectorAll("path[data-particle]")) {
    path.addEventListener("click", () => {
      if (choose(Number(path.dataset.particle))) document.getElementById("particles").scrollIntoView({ behavior: "smooth" });
    });
  }
  show(0);
})();
