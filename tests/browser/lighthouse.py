"""Lighthouse's marks for the demo's public pages, on a phone and a desktop: ``make lighthouse``.

The exit code is 1 where a mark is lower than it must be: 98 for performance, 100 for the rest.
Performance is measured: run it where nothing else runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.browser.chromium import OPTIONS, ROOT
from tests.service import Service

LEAST = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}


def audit(url: str, *, desktop: bool, report: Path) -> dict[str, Any]:
    """What Lighthouse says of one page."""
    command = [
        str(ROOT / ".tools" / "node_modules" / ".bin" / "lighthouse"),
        url,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(LEAST)}",
        f"--chrome-flags={' '.join(['--headless=new', *OPTIONS])}",
        *(["--preset=desktop"] if desktop else []),
    ]
    chromium = str(ROOT / ".tools" / "chromium")
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium}, timeout=120)
    said: dict[str, Any] = json.loads(report.read_text())
    return said


def main() -> int:
    """Print the marks of each page, and what cost it some."""
    is_low = False
    with TemporaryDirectory() as name:
        service = Service(Path(name))
        try:
            with urllib.request.urlopen(service.url) as answer:
                incident = re.search(r"/incidents/[a-z0-9]{12}", answer.read().decode())
            assert incident is not None, "the demo has an open incident"
            for path in ("/", incident[0], "/history", "/subscribe"):
                for desktop in (False, True):
                    said = audit(service.url + path, desktop=desktop, report=Path(name) / "said")
                    marks = {each: round(said["categories"][each]["score"] * 100) for each in LEAST}
                    low = [each for each in LEAST if marks[each] < LEAST[each]]
                    is_low = is_low or bool(low)
                    shown = " · ".join(f"{each} {mark}" for each, mark in marks.items())
                    print(f"{path:25} {'desktop' if desktop else 'phone':8} {shown}", flush=True)
                    for each in low:
                        print(f"    too low: {each}: {', '.join(_faults(said, each))}")
        finally:
            service.stop()
    return int(is_low)


def _faults(said: dict[str, Any], category: str) -> list[str]:
    weighed = [each["id"] for each in said["categories"][category]["auditRefs"] if each["weight"]]
    return [each for each in weighed if (said["audits"][each]["score"] or 0) < 1]


if __name__ == "__main__":
    sys.exit(main())
