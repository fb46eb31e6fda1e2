# SPDX-License-Identifier: MIT
# cmake -DFOLDER=patches -DOUTPUT=embedded.cpp -P embed.cmake: every FOLDER/*.json as a string of the program.
file(GLOB files "${FOLDER}/*.json")
list(SORT files)
set(rows "")
set(count 0)
foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME_WE)
    file(READ "${file}" text)
    # One literal a line: compilers bound the length of one, not of their sum. Without what is there for the eye: a third of it.
    string(REGEX REPLACE "[\r\n]+ *" "\n" text "${text}")
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\"\n     \"" text "${text}")
    string(APPEND rows "    {\"${name}\",\n     \"${text}\"},\n")
    math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
    set(rows "    {\"\", \"\"},\n")
endif()
file(WRITE "${OUTPUT}.new" "// Made from the files in patches/ by engine/patch/embed.cmake.
#include \"engine/patch/embedded.h\"

namespace tutti::engine {

const EmbeddedPatch k_embedded_patches[] = {
${rows}};
const int k_embedded_patch_count = ${count};

} // namespace tutti::engine
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
