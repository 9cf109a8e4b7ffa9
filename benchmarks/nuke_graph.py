"""Draws the node graph of the Nuke node as an image: the example script, and what is inside the node.

Read from the committed files by tclsh, so that the image shows what is there:
``python benchmarks/nuke_graph.py docs/images/nuke-graph.png``.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.nuke.script import Read, nodes_of, record  # noqa: E402

SCALE, WIDTH, HEIGHT, MARGIN = 2, 104, 26, 40
COLORS = {
    "Read": (112, 128, 96), "Write": (150, 120, 60), "Group": (95, 127, 159), "Input": (140, 140, 140),
    "Output": (140, 140, 140), "STMap": (150, 95, 95), "Reformat": (120, 100, 140), "Copy": (140, 115, 90),
    "Switch": (105, 105, 105), "Multiply": (100, 130, 150),
}  # fmt: skip
LABELS = {
    "STMap": ("src", "stmap"),
    "Copy": ("B", "A"),
    "Switch": ("0", "1"),
    "Group": ("source", "driving", "matte"),
}


def draw(nodes: list[Read], title: str) -> Image.Image:
    """One graph as an image, nodes where their xpos and ypos say."""
    shown = [node for node in nodes if node.kind != "Root"]
    places = {id(node): (int(node.values["xpos"]), int(node.values["ypos"]) * 5 // 4) for node in shown}
    left, top = (min(place[axis] for place in places.values()) for axis in (0, 1))
    right, bottom = (max(place[axis] for place in places.values()) for axis in (0, 1))
    size = (right - left + WIDTH + 2 * MARGIN, bottom - top + HEIGHT + 2 * MARGIN + 24)
    picture = Image.new("RGB", tuple(SCALE * side for side in size), (50, 50, 50))
    brush = ImageDraw.Draw(picture)
    font, small = (ImageFont.load_default(points * SCALE) for points in (10, 8))

    def at(node: Read) -> tuple[int, int]:
        x, y = places[id(node)]
        return SCALE * (x - left + MARGIN), SCALE * (y - top + MARGIN + 24)

    brush.text((SCALE * 12, SCALE * 10), title, fill=(220, 220, 220), font=font)
    for node in shown:
        x, y = at(node)
        for number, source in enumerate(node.inputs):
            if source is None:
                continue
            sx, sy = at(source)
            count = max(len(node.inputs), 1)
            end = (x + SCALE * WIDTH * (number + 1) // (count + 1), y)
            start = (sx + SCALE * WIDTH // 2, sy + SCALE * HEIGHT)
            brush.line((start, end), fill=(200, 200, 200), width=SCALE)
            brush.polygon([end, (end[0] - 6, end[1] - 12), (end[0] + 6, end[1] - 12)], fill=(200, 200, 200))
            words = LABELS.get(node.kind, ())
            if len(node.inputs) > 1 and number < len(words):
                brush.text(
                    (end[0] + 8, end[1] - 22 - (22 * number if len(words) > 2 else 0)),
                    words[number],
                    fill=(235, 200, 120),
                    font=small,
                )
    for node in shown:
        x, y = at(node)
        box = (x, y, x + SCALE * WIDTH, y + SCALE * HEIGHT)
        brush.rounded_rectangle(box, radius=6, fill=COLORS[node.kind], outline=(20, 20, 20))
        name = node.values["name"]
        text = name if name.lower().startswith(node.kind.lower()) else f"{name} ({node.kind})"
        brush.text(
            (x + SCALE * WIDTH // 2, y + SCALE * HEIGHT // 2), text, fill="white", font=small, anchor="mm"
        )
    return picture


def main() -> None:
    """Writes the image named on the command line."""
    example = nodes_of(record(ROOT / "hosts" / "nuke" / "example.nk"))
    group = next(node for node in example if node.kind == "Group")
    parts = [draw(example, "example.nk"), draw(group.children, "inside LivePortrait")]
    whole = Image.new(
        "RGB", (sum(part.width for part in parts) + 8, max(part.height for part in parts)), (50, 50, 50)
    )
    x = 0
    for part in parts:
        whole.paste(part, (x, 0))
        x += part.width + 8
    whole.save(sys.argv[1], optimize=True)


if __name__ == "__main__":
    main()
