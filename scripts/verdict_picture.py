"""Draws docs/images/verdict.svg from docs/images/verdict.json, the report of a real run of examples/flights.

To renew both: apply changes/fails-model.patch there, `mlci run`, copy mlci-out/report.json, run this.
"""

from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from mlci.core.results import Report
from mlci.reporters.console import ConsoleReporter

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SHOWN = ("train", "compare-to-baseline", "package", "deploy")
# Without the web font that rich would have every reader's browser fetch.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{
      white-space: pre; font-family: monospace; font-size: {char_height}px; line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">{matrix}</g>
  </g>
</svg>
"""

report = Report.model_validate_json((IMAGES / "verdict.json").read_bytes())
report = report.model_copy(update={"stages": [stage for stage in report.stages if stage.stage in SHOWN]})
console = Console(record=True, width=112, file=Path("/dev/null").open("w", encoding="utf-8"))  # noqa: SIM115 - for the process
console.print(Text.from_ansi(ConsoleReporter(colour=True, width=110).render(report)), soft_wrap=True)
console.save_svg(
    str(IMAGES / "verdict.svg"), title="mlci run", theme=MONOKAI, code_format=FORMAT, unique_id="verdict"
)
