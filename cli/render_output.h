// SPDX-License-Identifier: MIT
// The output options that rendering sub-commands share.
#pragma once

#include <string>

#include "cli/command.h"
#include "io/audio_file.h"

namespace tutti::cli {

struct OutputOptions {
    std::string path;
    std::string bits = "24";
    std::string plot;
};

// -o, --bits, --plot.
void add_output_options(CLI::App& app, OutputOptions& options);
// What can be known before any work: the format, the bits, a plot without a file.
Status check_output(const OutputOptions& options);
Result<io::AudioFileWriter> open_output(const std::string& path, const OutputOptions& options, double rate,
                                        int channels, const std::string& title);
// Draws the finished file where --plot asks for it.
Status plot_output(const OutputOptions& options);

} // namespace tutti::cli
