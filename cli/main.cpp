// SPDX-License-Identifier: MIT
// The `tutti` program: thin; one file a sub-command.
#include <clocale>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#if defined(TUTTI_WITH_MODELS)
#include "cli/generate.h"
#endif
#include "gpu/discovery.h"

int main(int argc, char** argv) {
    using namespace tutti::cli;
    tutti::gpu::install();
    CLI::App app{"Tutti: every sounding voice, of every stream, rendered together in one batch."};
    app.name("tutti");
    app.set_version_flag("--version", "tutti " TUTTI_VERSION_TEXT);
    app.require_subcommand(1);
    app.get_formatter()->column_width(34);
    app.footer("Every option also stands in the environment: --rate is TUTTI_RATE, --bits is TUTTI_BITS.\n"
               "Exit codes: 0 done, 1 failed, 2 wrong option, 3 no device, 4 input missing or malformed,\n"
               "5 output not writable, 130 interrupted.");
    std::vector<Command> commands = {add_render(app),  add_phrase(app),  add_play(app),
                                     add_devices(app), add_patches(app), add_bench(app),
                                     add_doctor(app),  add_soak(app),    add_fit(app)};
#if defined(TUTTI_WITH_MODELS)
    for (const auto add : {add_transcribe, add_generate, add_mel, add_models})
        commands.push_back(add(app));
#endif
    name_environment(app);
    if (argc > 1 && argv[1][0] != '-' &&
        app.get_subcommands([&](CLI::App* sub) { return sub->check_name(argv[1]); }).empty()) {
        tell("tutti: there is no sub-command {}; nothing was done; see `tutti --help`\n", argv[1]);
        return exit_usage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
        const CLI::App* at = &app;
        std::string path = "tutti";
        for (auto parsed = at->get_subcommands(); !parsed.empty(); parsed = at->get_subcommands()) {
            at = parsed.front();
            path += " " + at->get_name();
        }
        std::string remedy = "see `" + path + " --help`", what = error.what();
        if (error.get_name() == "RequiredError" && !at->get_subcommands([](const CLI::App*) { return true; }).empty()) {
            what = path + " alone does nothing";
            remedy = "name one of";
            for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; }))
                remedy += " " + sub->get_name();
        }
        tell("tutti: {}; nothing was done; {}\n", what, remedy);
        return exit_usage;
    }
    try {
        for (const Command& command : commands)
            if (command.app->parsed()) return command.run();
    } catch (const std::bad_alloc&) {
        tell("tutti: out of memory; the work stopped; use fewer voices or a shorter piece\n");
    } catch (const std::exception& error) {
        tell("tutti: {}; the work stopped; please report this with the command you ran\n", error.what());
    }
    return exit_failed;
}
