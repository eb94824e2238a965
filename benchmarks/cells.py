"""The cells of a study: each is measured once and kept in a CSV, so that a run that was stopped goes on."""

import csv
import io


def run_cells(path, cells, measure):
    """Append the rows that ``measure(**cell)`` gives for each cell that the file lacks; return all of its rows.

    A cell is a dictionary, whose entries are in each of its rows too.
    """
    done = {tuple(row[key] for key in cells[0]) for row in read(path)} if cells else set()
    missing = [cell for cell in cells if tuple(str(value) for value in cell.values()) not in done]
    for number, cell in enumerate(missing, 1):
        print(f"{number}/{len(missing)}: {', '.join(str(value) for value in cell.values())}", flush=True)
        append(path, [cell | row for row in measure(**cell)])
    return read(path)


def read(path):
    """The rows of the file, none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path, rows):
    """Add rows, all with the same columns as the file's, in one write."""
    old = read(path)
    text = io.StringIO()
    writer = csv.DictWriter(text, old[0] if old else rows[0], restval="", extrasaction="ignore")
    if not old:
        writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        file.write(text.getvalue())
