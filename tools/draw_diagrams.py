"""Draw the map of the course for the welcome page.

Run `python tools/draw_diagrams.py`; it writes book/_static/drawn/course-map.svg, as the build does.
Chapters, their titles and the rows of the map come from `_toc.yml` and the chapters.
"""

import contents

from vaecourse.diagrams import course_map

MAP = contents.ROOT / "book/_static/drawn/course-map.svg"


def draw():
    """Write the map."""
    MAP.parent.mkdir(parents=True, exist_ok=True)
    course_map(contents.rows()).save(MAP)


if __name__ == "__main__":
    draw()
