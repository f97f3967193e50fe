from __future__ import annotations

import pytest

from statuspage.runtime.command_failure import fail


def test_a_command_that_fails_says_why_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("no such file", 3)
    assert (ended.value.code, capsys.readouterr().err) == (3, "statuspage: no such file\n")
