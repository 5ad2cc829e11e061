"""``python -m npmobilenet``, for where the script is not on the path."""

from npmobilenet.cli import main

main(prog_name="npmobilenet")
