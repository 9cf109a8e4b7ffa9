"""Results of a node without a render."""


def load_as_if_rendered(lp, node):
    """Puts files where the node's result would be and shows them; returns what would be rendered."""
    work = lp.node_state.work_of(node)
    work.folder.mkdir(parents=True)
    for number in work.frames:
        work.result.path_of(number).write_bytes(b"x")
    lp.render.load(node)
    return work
