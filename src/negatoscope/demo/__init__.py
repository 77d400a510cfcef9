"""A small imaging department that does not exist, for trying the program and for tests.

`demo_objects` generates it; `load_demo` stores it. Needs the ``demo`` extra (numpy).
"""

from negatoscope.demo.department import demo_objects
from negatoscope.demo.loading import DemoSummary, load_demo

__all__ = ["DemoSummary", "demo_objects", "load_demo"]
