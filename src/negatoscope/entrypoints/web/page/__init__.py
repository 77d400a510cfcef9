"""The plain page: find a study, see what it holds, know how to send, find and fetch.

Written as HTML without a framework and readable without a script; the department's web
application takes its place later.
"""
