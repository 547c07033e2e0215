"""How much of its attention a model gives to the constraint while it writes, compared between outputs that differ.

`passes` reads attention off a model in one teacher-forced pass, `spans` says which tokens are the constraint's,
`measures` turns masses into enrichment, `groups` compares outputs, and `runner` does all of it for a SUSTAIN folder.
The analysis is correlational.
"""
