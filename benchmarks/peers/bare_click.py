"""A click group that can do nothing but tell what it could do: the least that any command line of click costs."""

import click


@click.group()
def cli() -> None:
    """A tool with a few commands."""


def _add(name: str) -> None:
    @cli.command(name)
    @click.option("--format", help="How to write it.")
    def command(format: str) -> None:
        """One of the commands."""


for _name in ("apply", "drift", "import", "plan", "validate", "version"):
    _add(_name)

if __name__ == "__main__":
    cli(prog_name="tool")
