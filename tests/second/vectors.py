"""Runs the JSON vectors of a folder. A folder without vectors is a failure."""


def run(report, folder):
    files = sorted(folder.glob("*.json"))
    report.name = "vectors"
    if not files:
        report.fail("folder", "no vectors in " + str(folder))
