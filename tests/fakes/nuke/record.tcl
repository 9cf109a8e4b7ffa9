# Reads a Nuke script as Tcl does and prints, as JSON, every command it is made of. Written for the tests.
# Usage: tclsh record.tcl FILE

proc quoted {text} {
    set text [string map [list \\ \\\\ \" \\\" \n \\n \r \\r \t \\t] $text]
    return "\"$text\""
}

proc quoted_list {items} {
    set out {}
    foreach item $items { lappend out [quoted $item] }
    return "\[[join $out ,]\]"
}

# A user knob's own list; the items of M are a list again.
proc user_knob {items} {
    set out {}
    set before ""
    foreach item $items {
        if {$before eq "M"} { lappend out [quoted_list $item] } else { lappend out [quoted $item] }
        set before [expr {$before eq "M" ? "" : $item}]
    }
    return "\[[join $out ,]\]"
}

proc emit {kind args} {
    lappend ::records "\[[join [linsert $args 0 [quoted $kind]] ,]\]"
}

proc recorded_node {class body} {
    if {[llength $body] % 2} { error "$class: its body is no list of pairs" }
    set pairs {}
    foreach {name value} $body {
        if {$name eq "addUserKnob"} {
            lappend pairs "\[[quoted $name],[user_knob $value]\]"
        } else {
            lappend pairs "\[[quoted $name],[quoted $value]\]"
        }
    }
    emit node [quoted $class] "\[[join $pairs ,]\]"
}

set records {}
set box [interp create -safe]
foreach name [$box eval {info commands}] {
    if {$name ni {set push stack clone end_group version add_layer unknown if list}} { catch {$box eval [list rename $name {}]} }
}
proc at_unknown {args} {
    lassign $args class body
    if {![regexp {^[A-Z][\w.]*$} $class] || [llength $args] != 2} { error "no node: [lindex $args 0]" }
    recorded_node $class $body
}
proc at_push {value} { emit push [quoted $value] }
proc at_stack {number} { return $number }
proc at_clone {args} { recorded_node Clone [lindex $args end] }
proc at_end_group {} { emit end_group }
proc at_version {args} { emit version [quoted_list $args] }
proc at_add_layer {names} { emit add_layer [quoted_list $names] }
$box hide set
interp alias $box unknown {} at_unknown
interp alias $box set {} at_set_in_box
proc at_set_in_box {name args} {
    if {[llength $args]} {
        emit set [quoted $name]
        $::box invokehidden set $name "\$$name"
        return
    }
    return [$::box invokehidden set $name]
}
interp alias $box push {} at_push
interp alias $box clone {} at_clone
interp alias $box stack {} at_stack
interp alias $box end_group {} at_end_group
interp alias $box version {} at_version
interp alias $box add_layer {} at_add_layer

$box invokehidden set cut_paste_input 0
set file [open [lindex $argv 0]]
fconfigure $file -encoding utf-8
set text [read $file]
close $file
$box eval $text
fconfigure stdout -encoding utf-8
puts "\[[join $records ,\n]\]"
