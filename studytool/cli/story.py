"""`studytool story`: the history in two minutes, as plain text."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("story")
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
@click.option("--json", "as_json", is_flag=True, help="Print data instead of words.")
def command(deck_dir: Path | None, as_json: bool) -> None:
    """Read the story of the deck: each method as what broke, what fixed it, how it was trained.

    In the app, S on Home opens it with its cards and demos.
    """
    import shutil

    from studytool.errors import UsageError
    from studytool.paths import default_paths
    from studytool.services import story
    from studytool.services.decks import study_folders
    from studytool.services.safe import clean, one_line

    folders = study_folders(default_paths(), deck_dir)
    stories, faults = story.read(folders)
    for fault in faults:
        click.echo(one_line(str(fault)), err=True)
    if not stories:
        raise UsageError(
            f"There is no story in {folders[0]}.",
            hint="A deck tells one in story.toml; CONTRIBUTING.md says how.",
        )
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(stories)).decode())
        return
    width = min(100, shutil.get_terminal_size().columns)
    for number, each in enumerate(stories):
        click.echo(clean("\n".join([*([""] * (number > 0)), *story.plain(each, width)])))
