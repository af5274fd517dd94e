"""Small images of many kinds, and what PIL reads from them (upright, on white, 8 bits).

    python src/test/python/make_image_fixtures.py src/test/resources/images

Beside that folder, webp/ gets larger lossy pictures, and the means of 16 x 16 pixels that libwebp decodes from them:
a decoder that is wrong drifts from block to block.
"""

import pathlib
import sys

import numpy
from PIL import Image, ImageOps

out = pathlib.Path(sys.argv[1])
y, x = numpy.mgrid[0:9, 0:14]
waves = [128 + 100 * numpy.sin(x / 3 + c) * numpy.cos(y / 4 + c) for c in range(4)]
rgb = numpy.stack(waves[:3], -1).astype("uint8")
colour, gray = Image.fromarray(rgb), Image.fromarray(rgb[..., 0])
alpha = Image.fromarray(numpy.dstack([rgb, (x * 18).astype("uint8")]))


def orientation(n):
    exif = Image.Exif()
    exif[0x0112] = n
    return exif


colour.save(out / "lossless.webp", lossless=True)
alpha.save(out / "alpha.webp", lossless=True, exact=True)
colour.save(out / "lossy.webp", quality=95)
Image.fromarray(numpy.stack(waves, -1).astype("uint8"), "CMYK").save(out / "cmyk.jpg", quality=98)
gray.save(out / "gray.jpg", quality=98)
gray.convert("LA").save(out / "gray-alpha.png")
alpha.save(out / "alpha.png")
colour.quantize(16).save(out / "palette.png")
Image.fromarray((rgb[..., 0].astype("uint16") << 8) + 77).save(out / "gray16.png")
for n in range(2, 9):
    colour.resize((48, 32)).save(out / f"turned{n}.jpg", quality=98, exif=orientation(n))
for file in sorted(out.iterdir()):
    if file.suffix == ".expected" or file.name.endswith(".expected.png"):
        continue
    image = ImageOps.exif_transpose(Image.open(file))
    if image.mode.startswith("I"):
        image = Image.fromarray((numpy.asarray(image) >> 8).astype("uint8"))
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    white.convert("RGB").save(out / (file.name + ".expected.png"))

webp = out.parent / "webp"
webp.mkdir(exist_ok=True)
y, x = numpy.mgrid[0:320, 0:208]
waves = [128 + 90 * numpy.sin(x / (9 + 7 * c) + c) * numpy.cos(y / (11 + 5 * c)) for c in range(3)]
edges = 60 * ((x // 23 + y // 31) % 2)
busy = numpy.stack(waves, -1) + edges[..., None] - 30
busy = Image.fromarray(busy.clip(0, 255).astype("uint8"))
busy.save(webp / "q50.webp", quality=50)
busy.save(webp / "q90.webp", quality=90)
busy.save(webp / "q20-simple-filter.webp", quality=20, method=0)
for file in sorted(webp.glob("*.webp")):
    Image.open(file).convert("RGB").reduce(16).save(webp / (file.stem + ".means.png"))
