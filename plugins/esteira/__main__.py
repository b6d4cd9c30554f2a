"""`python -m esteira`: the command line, where no script of that name is installed."""

from esteira.cli import app

app(prog_name="esteira")
