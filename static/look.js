// The preview of the look follows what is typed; without this file it shows what was sent last.
(() => {
  "use strict";

  const preview = document.querySelector("[data-look-preview]");
  if (!preview) return;

  const luminance = (colour) => {
    const [red, green, blue] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  function follow(input, scheme) {
    const part = preview.querySelector(`[data-scheme="${scheme}"]`);
    input.addEventListener("input", () => {
      const colour = input.value.trim();
      if (!/^#[0-9a-f]{6}$/i.test(colour)) return;
      for (const each of part.querySelectorAll("[data-accent]")) each.setAttribute("fill", colour);
      const ink = luminance(colour) > 0.179 ? "#000000" : "#ffffff";
      part.querySelector("[data-ink]").setAttribute("fill", ink);
    });
  }

  follow(document.getElementById("accent"), "light");
  follow(document.getElementById("accent_dark"), "dark");
})();
