// SPDX-License-Identifier: MIT
// The one symbol that a host looks for, and what stands behind it. Nothing is made before a host asks for an instance.
#include "plugin/clap/entry.h"

#include <cstring>
#include <new>

#include <clap/entry.h>
#include <clap/plugin-factory.h>

#include "plugin/clap/wrapper.h"

namespace tutti::clap {
namespace {

const char* k_features[] = {CLAP_PLUGIN_FEATURE_INSTRUMENT, CLAP_PLUGIN_FEATURE_SYNTHESIZER, CLAP_PLUGIN_FEATURE_STEREO,
                            nullptr};
const clap_plugin_descriptor_t k_descriptor = {CLAP_VERSION,
                                               "org.tutti.synth",
                                               "Tutti",
                                               "Tutti",
                                               "",
                                               "",
                                               "",
                                               TUTTI_VERSION_TEXT,
                                               "Every voice of every instance in one batch",
                                               k_features};

} // namespace

static const clap_plugin_t* create(const clap_plugin_factory_t*, const clap_host_t* host, const char* id) {
    if (host == nullptr || !clap_version_is_compatible(host->clap_version) || id == nullptr ||
        std::strcmp(id, k_descriptor.id) != 0)
        return nullptr;
    auto* const wrapper = new (std::nothrow) Wrapper(host);
    if (wrapper == nullptr) return nullptr;
    auto& plugin = const_cast<clap_plugin_t&>(*wrapper->plugin());
    plugin.desc = &k_descriptor;
    plugin.plugin_data = wrapper;
    plugin.init = [](const clap_plugin_t*) { return true; };
    plugin.destroy = [](const clap_plugin_t* p) { delete &Wrapper::of(p); };
    plugin.activate = [](const clap_plugin_t* p, double rate, std::uint32_t, std::uint32_t frames) {
        return Wrapper::of(p).activate(rate, frames);
    };
    plugin.deactivate = [](const clap_plugin_t* p) { Wrapper::of(p).deactivate(); };
    plugin.start_processing = [](const clap_plugin_t*) { return true; };
    plugin.stop_processing = [](const clap_plugin_t*) {};
    plugin.reset = [](const clap_plugin_t* p) { Wrapper::of(p).reset(); };
    plugin.process = [](const clap_plugin_t* p, const clap_process_t* process) {
        return Wrapper::of(p).process(process);
    };
    plugin.get_extension = [](const clap_plugin_t*, const char* name) { return extension(name); };
    plugin.on_main_thread = [](const clap_plugin_t* p) { Wrapper::of(p).on_main_thread(); };
    return &plugin;
}

static const clap_plugin_factory_t k_factory = {
    [](const clap_plugin_factory_t*) { return std::uint32_t{1}; },
    [](const clap_plugin_factory_t*, std::uint32_t index) { return index == 0 ? &k_descriptor : nullptr; }, create};

} // namespace tutti::clap

const clap_plugin_entry_t clap_entry = {CLAP_VERSION, [](const char*) { return true; }, [] {},
                                        [](const char* id) -> const void* {
                                            return id != nullptr && std::strcmp(id, CLAP_PLUGIN_FACTORY_ID) == 0
                                                       ? &tutti::clap::k_factory
                                                       : nullptr;
                                        }};
