"""``python -m stream_app.cli``: the ``deskpulse`` command without its script."""

from stream_app.cli import main

main(prog_name="deskpulse")
