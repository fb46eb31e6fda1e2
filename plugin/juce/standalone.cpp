// SPDX-License-Identifier: AGPL-3.0-or-later
// The standalone program: JUCE's holder of devices and settings, with our window, manners and words.
//
//   Tutti [--preset FILE|NAME] [--reset]
//
// Settings (audio device, MIDI, the last sound) are kept in the user's settings folder; inputs stay muted; MIDI ports that
// appear are opened by themselves; a missing or lost device is a sentence and a way on.
#include <juce_audio_plugin_client/juce_audio_plugin_client.h>
#include <juce_audio_utils/juce_audio_utils.h>
#include <juce_gui_extra/juce_gui_extra.h>

#include <juce_audio_plugin_client/Standalone/juce_StandaloneFilterWindow.h>

#include "plugin/juce/processor.h"

namespace tutti::plugin {
namespace {

juce::PropertiesFile::Options settings_file() {
    juce::PropertiesFile::Options options;
    options.applicationName = "Tutti";
    options.filenameSuffix = ".settings";
    options.osxLibrarySubFolder = "Application Support";
#if JUCE_LINUX || JUCE_BSD
    options.folderName = "~/.config";
#endif
    return options;
}

class Program : public juce::JUCEApplication, private juce::Timer {
public:
    const juce::String getApplicationName() override { return "Tutti"; }
    const juce::String getApplicationVersion() override { return TUTTI_VERSION_TEXT; }
    bool moreThanOneInstanceAllowed() override { return true; }

    void initialise(const juce::String&) override {
        const juce::StringArray words = getCommandLineParameterArray();
        // One file: ApplicationProperties would read it a second time as that of all users, which stands behind what is cleared.
        m_settings = std::make_unique<juce::PropertiesFile>(settings_file());
        if (words.contains("--reset")) m_settings->clear();
        m_window = std::make_unique<juce::StandaloneFilterWindow>(
            "Tutti", juce::Colour(0xff14181d), m_settings.get(), false, juce::String(), nullptr,
            juce::Array<juce::StandalonePluginHolder::PluginInOuts>(), true);
        juce::StandalonePluginHolder& holder = *m_window->pluginHolder;
        holder.getMuteInputValue().setValue(true);
        if (const int at = words.indexOf("--preset"); at >= 0 && at + 1 < words.size()) load(words[at + 1]);
        m_window->setVisible(true);
        startTimer(1000);
    }

    void shutdown() override {
        stopTimer();
        // A window that is closed has kept its sound; a signal or a session that ends comes here alone.
        if (m_window != nullptr && m_window->pluginHolder != nullptr) m_window->pluginHolder->savePluginState();
        m_window = nullptr;
        m_settings->saveIfNeeded();
        m_settings = nullptr;
    }

    void systemRequestedQuit() override {
        if (m_window != nullptr) m_window->pluginHolder->savePluginState();
        if (juce::ModalComponentManager::getInstance()->cancelAllModalComponents())
            juce::Timer::callAfterDelay(100, [] {
                if (auto* const app = getInstance()) app->systemRequestedQuit();
            });
        else
            quit();
    }

private:
    void load(const juce::String& name) {
        auto* const processor = dynamic_cast<Processor*>(m_window->pluginHolder->processor.get());
        if (processor == nullptr) return;
        const juce::File file = juce::File::getCurrentWorkingDirectory().getChildFile(name);
        const Result<Patch> patch = file.existsAsFile() ? Patch::load(file.getFullPathName().toStdString())
                                                        : Patch::factory(name.toStdString());
        const Status status =
            patch ? processor->instance().load_preset(*patch, file.existsAsFile() ? std::string() : name.toStdString())
                  : patch.status();
        if (!status) {
            std::fputs((status.message() + "\n").c_str(), stderr);
            tell("The preset was not loaded", juce::String::fromUTF8(status.message().c_str()));
        }
    }

    void tell(const juce::String& what, const juce::String& more) {
        juce::AlertWindow::showAsync(juce::MessageBoxOptions()
                                         .withIconType(juce::MessageBoxIconType::InfoIcon)
                                         .withTitle(what)
                                         .withMessage(more)
                                         .withButton("OK")
                                         .withAssociatedComponent(m_window.get()),
                                     nullptr);
    }

    // Once a second: whether there is a device to be heard on.
    void timerCallback() override {
        if (m_window == nullptr || m_window->pluginHolder == nullptr) return;
        const bool sounds = m_window->pluginHolder->deviceManager.getCurrentAudioDevice() != nullptr;
        if (sounds == m_sounds) return;
        m_sounds = sounds;
        m_window->setName(sounds ? "Tutti" : "Tutti (no audio device: choose one under Options, Audio/MIDI Settings)");
        if (!sounds)
            std::fputs(
                "no audio device is open, so nothing can be heard; choose one under Options, Audio/MIDI Settings\n",
                stderr);
    }

    std::unique_ptr<juce::PropertiesFile> m_settings;
    std::unique_ptr<juce::StandaloneFilterWindow> m_window;
    bool m_sounds = true;
};

} // namespace
} // namespace tutti::plugin

juce::JUCEApplicationBase* juce_CreateApplication();
juce::JUCEApplicationBase* juce_CreateApplication() {
    return new tutti::plugin::Program();
}
