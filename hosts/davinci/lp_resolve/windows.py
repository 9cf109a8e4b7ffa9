"""The dialogs as windows of UIManager (Studio; the free edition up to 19.0)."""

from __future__ import annotations

from typing import Any, Callable

from lp_core.errors import LpError

from .api_results import given
from .dialogs import Control, Dialog

POLL_MS = 250
FAR = 10**7
WIDTH, HEIGHT = 760, 620


class ScriptWindows:
    """What opens windows: ``fusion.UIManager`` and ``bmd`` as Resolve gives them to a script."""

    def __init__(self, fusion: Any, bmd: Any) -> None:  # noqa: ANN401 - Fusion has no types
        self.fusion = fusion
        self.ui = given(fusion.UIManager, "windows", "use the worker's page")
        self.dispatcher = bmd.UIDispatcher(self.ui)

    def ask(self, dialog: Dialog) -> dict[str, Any] | None:
        """Shows a dialog until it is answered; its values, None where it was closed."""
        window = self._window(dialog)
        items = window.GetItems()
        for control in dialog.controls:
            _fill(items, control)
        answer: list[dict[str, Any]] = []

        def accept(_event: Any) -> None:  # noqa: ANN401
            try:
                answer.append({control.name: _value(items, control) for control in dialog.controls})
            except LpError as error:
                items["Problem"].Text = str(error)
                return
            self.dispatcher.ExitLoop()

        def close(_event: Any) -> None:  # noqa: ANN401
            self.dispatcher.ExitLoop()

        window.On.Accept.Clicked = accept
        window.On.Cancel.Clicked = close
        window.On[dialog.name].Close = close
        for control in dialog.controls:
            if control.kind == "file":
                window.On["Browse_" + control.name].Clicked = self._browse(items, control)
        self._tabs(window, items, dialog)
        window.Show()
        self.dispatcher.RunLoop()
        window.Hide()
        return answer[0] if answer else None

    def watch(
        self, title: str, look: Callable[[], tuple[str, float] | None], stop: Callable[[], None]
    ) -> None:
        """Shows how far something is until it has ended.

        Args:
            title: of the window.
            look: gives words and a share from 0 to 1; None once it has ended.
            stop: is called when the user wants no more.
        """
        ui = self.ui
        timer = ui.Timer({"ID": "Look", "Interval": POLL_MS})
        window = self.dispatcher.AddWindow(
            {"ID": "LivePortraitProgress", "WindowTitle": title, "Geometry": [200, 200, 460, 120]},
            [
                ui.VGroup(
                    [
                        ui.Label({"ID": "Words", "Text": "Waiting"}),
                        ui.Slider({"ID": "Share", "Minimum": 0, "Maximum": 1000, "Enabled": False}),
                        ui.HGroup(
                            {"Weight": 0},
                            [ui.Label({"Text": ""}), ui.Button({"ID": "Stop", "Text": "Cancel"})],
                        ),
                    ]
                )
            ],
        )
        items = window.GetItems()
        failed: list[Exception] = []

        def tick(_event: Any) -> None:  # noqa: ANN401
            try:
                told = look()
            except LpError as error:
                failed.append(error)
                told = None
            if told is None:
                self.dispatcher.ExitLoop()
                return
            items["Words"].Text, items["Share"].Value = told[0], int(told[1] * 1000)

        def cancel(_event: Any) -> None:  # noqa: ANN401
            items["Words"].Text = "Stopping"
            stop()

        window.On.Stop.Clicked = cancel
        window.On.LivePortraitProgress.Close = cancel
        self.dispatcher.On.Timeout = tick
        window.Show()
        timer.Start()
        self.dispatcher.RunLoop()
        timer.Stop()
        window.Hide()
        if failed:
            raise failed[0]

    def tell(self, title: str, words: str) -> None:
        """Shows a sentence until it is closed."""
        ui = self.ui
        window = self.dispatcher.AddWindow(
            {"ID": "LivePortraitWords", "WindowTitle": title, "Geometry": [200, 200, 460, 140]},
            [
                ui.VGroup(
                    [
                        ui.Label({"ID": "Words", "Text": words, "WordWrap": True}),
                        ui.HGroup(
                            {"Weight": 0},
                            [ui.Label({"Text": ""}), ui.Button({"ID": "Close", "Text": "Close"})],
                        ),
                    ]
                )
            ],
        )

        def close(_event: Any) -> None:  # noqa: ANN401
            self.dispatcher.ExitLoop()

        window.On.Close.Clicked = close
        window.On.LivePortraitWords.Close = close
        window.Show()
        self.dispatcher.RunLoop()
        window.Hide()

    def _window(self, dialog: Dialog) -> Any:  # noqa: ANN401
        ui = self.ui
        pages = [
            ui.VGroup({"Weight": 1}, [self._row(control) for control in tab.controls]) for tab in dialog.tabs
        ]
        content: list[Any] = []
        if len(pages) > 1:
            content += [ui.TabBar({"ID": "Tabs", "Weight": 0}), ui.Stack({"ID": "Pages", "Weight": 1}, pages)]
        else:
            content += pages
        content.append(ui.Label({"ID": "Problem", "Text": "", "Weight": 0, "WordWrap": True}))
        content.append(
            ui.HGroup(
                {"Weight": 0},
                [
                    ui.Label({"Text": ""}),
                    ui.Button({"ID": "Cancel", "Text": "Cancel"}),
                    ui.Button({"ID": "Accept", "Text": dialog.accept, "Default": True}),
                ],
            )
        )
        about = {"ID": dialog.name, "WindowTitle": dialog.title, "Geometry": [200, 120, WIDTH, HEIGHT]}
        return self.dispatcher.AddWindow(about, [ui.VGroup(content)])

    def _row(self, control: Control) -> Any:  # noqa: ANN401
        ui, about = self.ui, {"ID": control.name, "ToolTip": control.help, "Weight": 2}
        if control.kind == "choice":
            made = ui.ComboBox(about)
        elif control.kind == "toggle":
            made = ui.CheckBox({**about, "Checked": bool(control.value)})
        elif control.kind == "whole":
            low, high = control.minimum, control.maximum
            bounds = {
                "Minimum": -FAR if low is None else int(low),
                "Maximum": FAR if high is None else int(high),
            }
            made = ui.SpinBox({**about, **bounds, "Value": int(control.value)})
        else:
            made = ui.LineEdit({**about, "Text": _shown(control)})
        parts = [ui.Label({"Text": control.label, "ToolTip": control.help, "Weight": 1}), made]
        if control.kind == "file":
            parts.append(ui.Button({"ID": "Browse_" + control.name, "Text": "Browse", "Weight": 0.5}))
        else:
            parts.append(ui.Label({"Text": _bounds(control), "Weight": 0.5}))
        return ui.HGroup({"Weight": 0}, parts)

    def _tabs(self, window: Any, items: Any, dialog: Dialog) -> None:  # noqa: ANN401
        if len(dialog.tabs) == 1:
            return
        for tab in dialog.tabs:
            items["Tabs"].AddTab(tab.title)

        def turn(event: Any) -> None:  # noqa: ANN401
            items["Pages"].CurrentIndex = event["Index"]

        window.On.Tabs.CurrentChanged = turn

    def _browse(self, items: Any, control: Control) -> Callable[[Any], None]:  # noqa: ANN401
        def browse(_event: Any) -> None:  # noqa: ANN401
            ask = self.fusion.RequestDir if control.name in ("folder", "weights") else self.fusion.RequestFile
            found = ask()
            if found:
                items[control.name].Text = str(found)

        return browse


def _shown(control: Control) -> str:
    return f"{control.value:g}" if isinstance(control.value, float) else str(control.value)


def _bounds(control: Control) -> str:
    if control.minimum is None or control.maximum is None or control.maximum >= FAR:
        return ""
    return f"{control.minimum:g} to {control.maximum:g}"


def _fill(items: Any, control: Control) -> None:  # noqa: ANN401
    if control.kind == "choice":
        items[control.name].AddItems(list(control.choices))
        items[control.name].CurrentIndex = control.choices.index(control.value)


def _value(items: Any, control: Control) -> Any:  # noqa: ANN401
    item = items[control.name]
    if control.kind == "choice":
        return control.choices[int(item.CurrentIndex)]
    if control.kind == "toggle":
        return bool(item.Checked)
    if control.kind == "whole":
        return int(item.Value)
    return control.read(str(item.Text))
