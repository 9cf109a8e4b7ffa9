"""Run by a Python that has the module bpy: what Blender's compositor reads of an EXR file, layer by layer.

    python blender_reads.py IN.exr OUTFOLDER

writes OUTFOLDER/LAYER.exr for every socket of the Image node. Judge by these files: bpy may crash when it ends.
"""

import os
import sys
from pathlib import Path

import bpy


def tree_of(scene):
    """The compositor's nodes and the node that takes the result; made in one way up to 4.5, in another from 5.0 on."""
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new("LP", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        return tree, tree.nodes.new("NodeGroupOutput")
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    return scene.node_tree, scene.node_tree.nodes.new("CompositorNodeComposite")


def main(path, folder):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    tree, output = tree_of(scene)
    node = tree.nodes.new("CompositorNodeImage")
    node.image = bpy.data.images.load(path)
    width, height = (int(value) for value in sys.argv[3].split("x"))
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = (
        width,
        height,
        100,
    )
    for socket in [found for found in node.outputs if found.enabled]:
        tree.links.new(socket, output.inputs[0])
        scene.render.filepath = str(Path(folder) / f"{socket.name}.exr")
        bpy.ops.render.render(write_still=True)
    sys.stdout.write(f"Blender {bpy.app.version_string}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
