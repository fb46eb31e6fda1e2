// SPDX-License-Identifier: AGPL-3.0-or-later
// The plugin as JUCE's formats see it: a thin layer over plugin::Instance. No DSP stands here.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <juce_audio_utils/juce_audio_utils.h>

#include "plugin/core/instance.h"
#include "plugin/core/library.h"
#include "plugin/juce/pads.h"

namespace tutti::plugin {

class Processor;

// One row of ParameterList as a host's parameter.
class HostParameter : public juce::AudioProcessorParameterWithID {
public:
    HostParameter(Instance& instance, int place);
    int place() const noexcept { return m_place; } // in ParameterList [any]

    float getValue() const override;
    void setValue(float normalised) override;
    float getDefaultValue() const override;
    int getNumSteps() const override;
    bool isDiscrete() const override;
    bool isBoolean() const override;
    juce::String getText(float normalised, int longest) const override;
    float getValueForText(const juce::String& text) const override;
    juce::String getName(int longest) const override;

private:
    const ParameterInfo& info() const { return ParameterList::get()[m_place]; }
    Instance& m_instance;
    int m_place;
};

// The presets of the user, one list for all instances of the process; read in the background.
struct SharedLibrary {
    SharedLibrary();
    ~SharedLibrary();
    void refresh(); // starts it, once at a time [control]
    bool busy() const noexcept { return m_busy.load(std::memory_order_acquire); }
    PresetLibrary library;

private:
    struct Reader;
    std::unique_ptr<Reader> m_reader;
    std::atomic<bool> m_busy{false};
};

class Processor : public juce::AudioProcessor, private InstanceListener, private juce::Timer {
public:
    Processor();
    ~Processor() override;

    Instance& instance() noexcept { return m_instance; }
    PresetLibrary& library() noexcept { return m_library->library; }
    SharedLibrary& shared_library() noexcept { return *m_library; }
    // What lies on the worker page's pads, kept while the window is closed; of the message thread. [control]
    std::array<MadePointer, k_pads>& pads() noexcept { return m_pads; }
    // Of the process's engine; a test says that a device was lost. [control]
    virtual EngineStats engine_stats() const { return m_instance.engine_stats(); }
    HostParameter& parameter(int place) { return *m_parameters[static_cast<std::size_t>(place)]; }
    // Of the audio thread, 0..1 and more. [any]
    double load() const noexcept { return m_load.getLoadAsProportion(); }
    // Counts up with each new sound, preset or state: an editor looks whether it moved. [any]
    int generation() const noexcept { return m_generation.load(std::memory_order_relaxed); }
    // Why there is no sound; empty: nothing is wrong. [control]
    juce::String problem() const;

    // A user's change of a parameter, told to the host. [control]
    void begin_change(int place);
    void change(int place, float value);
    void end_change(int place);

    const juce::String getName() const override { return "Tutti"; }
    void prepareToPlay(double rate, int frames) override;
    void releaseResources() override;
    void reset() override;
    void setNonRealtime(bool offline) noexcept override;
    bool isBusesLayoutSupported(const BusesLayout& layout) const override;
    void processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer& midi) override;
    double getTailLengthSeconds() const override;
    bool acceptsMidi() const override { return true; }
    bool producesMidi() const override { return false; }
    bool supportsMPE() const override { return true; }
    bool hasEditor() const override { return true; }
    juce::AudioProcessorEditor* createEditor() override;
    int getNumPrograms() override;
    int getCurrentProgram() override;
    void setCurrentProgram(int index) override;
    const juce::String getProgramName(int index) override;
    void changeProgramName(int, const juce::String&) override {}
    void getStateInformation(juce::MemoryBlock& data) override;
    void setStateInformation(const void* data, int bytes) override;

private:
    void value_changed(int parameter) override;
    void everything_changed() override;
    void restart_wanted() override;
    void timerCallback() override;

    Instance m_instance;
    juce::SharedResourcePointer<SharedLibrary> m_library;
    std::array<MadePointer, k_pads> m_pads;
    std::vector<HostParameter*> m_parameters; // the tree owns them
    std::vector<float> m_told;                // what the host heard last, normalised
    std::vector<BlockEvent> m_events;
    juce::AudioProcessLoadMeasurer m_load;
    mutable std::mutex m_problem_mutex;
    juce::String m_problem;
    std::atomic<int> m_generation{0};
    std::atomic<bool> m_tell_all{false};
    int m_program = 0;
    JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(Processor)
};

} // namespace tutti::plugin
