"""A sample photo spoilt in several ways and restored from words, on one sheet."""

import argparse

from rich.table import Table

from tfimg import commands, files, show
from tfimg.pixels import to_float, to_uint8
from tfimg.sheet import contact_sheet

# Protocol, and what to say about it: half in English, half in Chinese.
_CASES = (
    ("noise:35", "remove the noise"),
    ("low_light", "太暗了，调亮一点"),
    ("haze", "remove the haze"),
    ("rain", "去掉雨丝"),
    ("compression:10", "get rid of the blocky jpeg artifacts"),
    ("damage", "修复划痕和破损"),
    ("faded", "the colors have faded, bring them back"),
    ("blur", "太模糊了，变清晰一点"),
    ("low_resolution:3", "increase the resolution"),
)


def demo(args: argparse.Namespace) -> list[str]:
    """Restores the sample photo and writes the sheet; returns no complaints."""
    from tfimg import presets

    files.check_output(args.output)
    preset = commands.check_preset(args.preset)
    truth = to_float(files.read_picture(presets.sample_path()).pixels)
    restorer = commands.load("ImageRestorer", preset)
    from tfimg.degradations import parse_protocol
    from tfimg.metrics import psnr

    rows, cells = [], []
    with show.bars("demo", len(_CASES)) as (advance, _, _):
        for name, instruction in _CASES:
            protocol = parse_protocol(name)
            spoilt, known = protocol.apply_with_mask(truth, index=0)
            spoilt = to_uint8(spoilt)
            mask = known if "damage" in protocol.degradations else None
            # What it has spoilt itself it need not look for.
            restored = restorer.restore(spoilt, instruction, mask=mask, insist=True)
            before, after = (psnr(to_float(one), truth) for one in (spoilt, restored))
            rows.append(
                {
                    "degradation": name,
                    "instruction": instruction,
                    "psnr_before": round(before, 2),
                    "psnr_after": round(after, 2),
                }
            )
            # Captions stay ASCII: the font that comes with Pillow has no Chinese.
            cells.append((spoilt, f"{protocol.label}: {before:.1f} dB"))
            cells.append((restored, f"restored: {after:.1f} dB"))
            advance()
    files.write_picture(files.Picture(contact_sheet(cells, columns=6)), args.output)

    if args.json:
        show.print_json(rows)
        return []
    table = Table("degradation", "instruction", "before, dB", "after, dB")
    for row in rows:
        table.add_row(
            row["degradation"],
            row["instruction"],
            f"{row['psnr_before']:.2f}",
            f"{row['psnr_after']:.2f}",
        )
    show.print_table(table)
    print(f"sheet written to {args.output}")
    return []
