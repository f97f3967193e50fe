from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner

from statuspage.core.config import load_settings
from statuspage.importers import demo
from statuspage.runtime.application import create_app
from tests.importers.imported import PAGE, history_row, lines, published, summary

CUSTOMERS = "email,name\nana@example.com,Ana\nbad,Bo\n"


def run(runner: FlaskCliRunner, *words: str | Path) -> Result:
    return runner.invoke(args=[str(word) for word in words])


def told(result: Result) -> tuple[int, list[str], list[str]]:
    return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()


def test_customers_come_in_and_bad_rows_are_named(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)

    assert told(run(runner, "import-customers", file)) == (
        1,
        ["1 added, 0 updated, 0 unchanged, 1 refused."],
        [f"{file}: line 3: email 'bad': An email address must have an @-sign"],
    )


def test_a_preview_of_customers_changes_nothing(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("email\nana@example.com\n")
    foretold = (0, ["Would be: 1 added, 0 updated, 0 unchanged, 0 refused."], [])

    assert told(run(runner, "import-customers", "--preview", file)) == foretold
    assert told(run(runner, "import-customers", "--preview", file)) == foretold


def test_a_file_comes_in_whose_name_is_no_text(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"kunden-m\xfcnchen.csv")
    file.write_text("email\nana@example.com\n")
    assert run(runner, "import-customers", file).exit_code == 0
    history = tmp_path / os.fsdecode(b"verlauf-m\xfcnchen.jsonl")
    history.write_bytes(lines(history_row()))
    assert run(runner, "import-incidents", history).exit_code == 0
    assert run(runner, "outbox", "hold", "m\udcfcnchen").exit_code == 0
    assert run(runner, "held-on", "m\udcfc@example.com").exit_code == 1


def test_exported_customers_come_in_again(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file, copy = tmp_path / "customers.csv", tmp_path / "copy.csv"
    file.write_text("email,name\nana@example.com,=Ana\n")
    run(runner, "import-customers", file)

    assert told(run(runner, "export-customers", copy)) == (0, [], [])
    assert told(run(runner, "import-customers", copy)) == (
        0,
        ["0 added, 0 updated, 1 unchanged, 0 refused."],
        [],
    )


def test_a_history_comes_in_and_what_was_mended_is_named(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(lines(history_row(), history_row("bbbbbbbbbbbb", title="x" * 201)))

    assert told(run(runner, "import-incidents", file)) == (
        0,
        ["Incidents: 2 added, 0 updated, 0 unchanged, 0 left out. Components: 1 added."],
        [f"{file}: line 2: the title has 201 characters and was cut at 200"],
    )


def test_a_history_that_cannot_be_taken_is_named_by_line(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(lines(history_row(), history_row("bbbbbbbbbbbb", title="")))

    assert told(run(runner, "import-incidents", file)) == (
        1,
        [],
        [f"{file}: line 2: it has no title", "statuspage: nothing was imported"],
    )
    assert told(run(runner, "import-incidents", "--skip-bad", file)) == (
        1,
        ["Incidents: 1 added, 0 updated, 0 unchanged, 1 left out. Components: 1 added."],
        [f"{file}: line 2: it has no title"],
    )


def test_a_page_moves_from_a_folder_and_files(runner: FlaskCliRunner, tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(summary()))
    file = tmp_path / "more"
    file.write_text(json.dumps({"page": PAGE, "incidents": [published()]}))

    assert told(run(runner, "import-statuspage", tmp_path, file)) == (
        0,
        ["Incidents: 1 added, 0 updated, 0 unchanged, 0 left out. Components: 2 added."],
        [],
    )


def test_a_page_that_is_not_there_is_named(runner: FlaskCliRunner, tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"

    assert told(run(runner, "import-statuspage", missing)) == (
        1,
        [],
        [
            f"{missing}: cannot be read: No such file or directory",
            "statuspage: nothing was imported",
        ],
    )


def test_the_demo_says_why_it_is_not_loaded(
    runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_named: object) -> None:
        raise demo.DemoRefused("the demo is only loaded into an empty database")

    monkeypatch.setattr(demo, "load", refuse)

    assert told(run(runner, "load-demo")) == (
        1,
        [],
        ["statuspage: the demo is only loaded into an empty database"],
    )


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(runner: FlaskCliRunner) -> None:
    for command in ("import-customers", "import-incidents"):
        result = run(runner, command, "nothing-here")
        assert (result.exit_code, "does not exist" in result.stderr) == (2, True)


def test_a_database_without_tables_is_told_in_one_line(tmp_path: Path) -> None:
    # One of its own: the tables of the PostgreSQL that all tests share must stay.
    app = create_app(load_settings({"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 32}))
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)
    code, out, err = told(run(app.test_cli_runner(), "import-customers", file))

    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].startswith("statuspage: the database cannot be used: ")


def test_the_site_is_exported_and_a_second_time_nothing_is_written(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    command = ["export-site", str(tmp_path / "site")]
    assert "files written, 0 removed." in runner.invoke(args=command).output
    again = runner.invoke(args=command)
    assert (again.exit_code, again.output.split(": ")[1]) == (0, "0 files written, 0 removed.\n")
    assert (tmp_path / "site" / "index.html").exists()


def test_a_folder_that_holds_other_files_is_not_exported_to(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    found = runner.invoke(args=["export-site", str(tmp_path)])
    assert found.exit_code == 1
    assert found.output == (
        f"statuspage: {tmp_path} holds other files, which would be removed; name an empty folder\n"
    )


def test_tickets_go_out_and_come_in_and_a_broken_one_is_named(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("[]")
    code, said, problems = told(run(runner, "import-tickets", tmp_path))
    assert (code, said) == (1, ["Tickets: 0 added, 0 updated, 0 unchanged."])
    assert problems[0].startswith("a.json: the whole file: ")
    assert told(run(runner, "export-tickets", tmp_path / "out"))[:2] == (0, ["0 tickets."])
