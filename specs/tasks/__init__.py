"""Starting points for ``losslang new TASK``: one commented spec a task. No Python here."""
