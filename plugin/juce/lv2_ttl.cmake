# SPDX-License-Identifier: AGPL-3.0-or-later
# cmake -DBUNDLE=FOLDER -DURI=URI -P lv2_ttl.cmake: mends what JUCE 7.0.5 writes into an LV2 bundle against LV2's own vocabulary:
# its presets use a property `Program` that nothing declares, the plugin has a maintainer without being a project, and the editor
# names a feature as extension data and extension data as a feature. Run again it changes nothing.
file(READ "${BUNDLE}/dsp.ttl" text)
set(mark "# What JUCE leaves out.")
if(NOT text MATCHES "${mark}")
    string(APPEND text "\n${mark}\n<${URI}:Program>\n\ta rdf:Property ;\n\trdfs:label \"Program\" ;\n"
           "\trdfs:comment \"The number of a factory preset.\" ;\n\trdfs:range xsd:int .\n\n<${URI}>\n\ta doap:Project .\n")
    file(WRITE "${BUNDLE}/dsp.ttl" "${text}")
endif()
file(READ "${BUNDLE}/ui.ttl" text)
string(REPLACE "\t\tui:noUserResize ,\n" "" text "${text}")
string(REPLACE "\t\topts:interface ,\n\t\topts:options ;" "\t\topts:options ;" text "${text}")
file(WRITE "${BUNDLE}/ui.ttl" "${text}")
