"""Remake the pictures of the README from the examples: python docs/images/make_images.py"""

import io
import runpy
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
#: File, example, the variable with its figure, colours that are enough (shading needs all).
PICTURES = (("frame.png", "plot_clusters.py", "frame", 128), ("model.png", "plot_reconstruct.py", "model", None))

for name, example, variable, colours in PICTURES:
    figure = runpy.run_path(str(HERE.parents[1] / "examples" / example))[variable]
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=75)
    # 128 colours are enough for grey pixels and a few lines, and keep the repository small; the octree keeps rare colours.
    picture = Image.open(buffer).convert("RGB")
    if colours is not None:
        picture = picture.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.save(HERE / name, optimize=True)
    print(f"{name}: {(HERE / name).stat().st_size / 1000:.0f} kB")
