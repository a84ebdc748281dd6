"""`python -m workers.boards.child PARENT OPTION ...`: TensorBoard, while the process PARENT lives."""

import sys

from workers.process.parent_death import die_with_parent


def main() -> None:
    """Run TensorBoard with the options; does not return."""
    die_with_parent(int(sys.argv.pop(1)))
    from tensorboard.main import run_main  # it takes a second, in which the parent may end

    run_main()


if __name__ == "__main__":
    main()
