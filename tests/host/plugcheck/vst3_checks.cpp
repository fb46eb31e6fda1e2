// SPDX-License-Identifier: AGPL-3.0-or-later
// What Steinberg's validator asks of VST3's bare interfaces, and what it leaves out: calls out of order, indexes that are not
// there, blocks of negative length. JUCE's host would never make them. Over 400 lines: the host's side of every interface first.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>

#include <dlfcn.h>

#include "tests/host/plugcheck/vst3_objects.h"

namespace tutti::host {

using namespace Steinberg;
using namespace Steinberg::Vst;

namespace {

// What JUCE's and Steinberg's wrappers send between the two halves of a plugin.
class Message final : public Counted<IMessage, IAttributeList> {
public:
    FIDString PLUGIN_API getMessageID() override { return m_id.c_str(); }
    void PLUGIN_API setMessageID(FIDString id) override { m_id = id == nullptr ? "" : id; }
    IAttributeList* PLUGIN_API getAttributes() override { return this; }
    tresult PLUGIN_API setInt(AttrID id, int64 value) override { return m_integers[id] = value, kResultOk; }
    tresult PLUGIN_API getInt(AttrID id, int64& value) override {
        const auto found = m_integers.find(id);
        if (found == m_integers.end()) return kResultFalse;
        value = found->second;
        return kResultOk;
    }
    tresult PLUGIN_API setFloat(AttrID id, double value) override { return m_floats[id] = value, kResultOk; }
    tresult PLUGIN_API getFloat(AttrID id, double& value) override {
        const auto found = m_floats.find(id);
        if (found == m_floats.end()) return kResultFalse;
        value = found->second;
        return kResultOk;
    }
    tresult PLUGIN_API setString(AttrID, const TChar*) override { return kResultOk; }
    tresult PLUGIN_API getString(AttrID, TChar*, uint32) override { return kResultFalse; }
    tresult PLUGIN_API setBinary(AttrID id, const void* data, uint32 size) override {
        const auto* bytes = static_cast<const char*>(data);
        m_binaries[id].assign(bytes, bytes + size);
        return kResultOk;
    }
    tresult PLUGIN_API getBinary(AttrID id, const void*& data, uint32& size) override {
        const auto found = m_binaries.find(id);
        if (found == m_binaries.end()) return kResultFalse;
        data = found->second.data();
        size = static_cast<uint32>(found->second.size());
        return kResultOk;
    }
    tresult PLUGIN_API queryInterface(const TUID id, void** object) override {
        if (same(id, IMessage_iid) || same(id, FUnknown_iid)) return give(static_cast<IMessage*>(this), object);
        if (same(id, IAttributeList_iid)) return give(static_cast<IAttributeList*>(this), object);
        *object = nullptr;
        return kNoInterface;
    }

    uint32 PLUGIN_API addRef() override { return ++m_count; }
    uint32 PLUGIN_API release() override {
        const uint32 left = --m_count;
        if (left == 0) delete this;
        return left;
    }

private:
    uint32 m_count = 1;
    std::string m_id;
    std::map<std::string, int64> m_integers;
    std::map<std::string, double> m_floats;
    std::map<std::string, std::vector<char>> m_binaries;
};

class Host final : public Counted<IHostApplication, IComponentHandler> {
public:
    tresult PLUGIN_API getName(String128 name) override {
        const char* const text = "plugcheck";
        for (std::size_t i = 0; i <= std::strlen(text); ++i)
            name[i] = static_cast<TChar>(text[i]);
        return kResultOk;
    }
    tresult PLUGIN_API createInstance(TUID id, TUID, void** object) override {
        if (!same(id, IMessage_iid) && !same(id, IAttributeList_iid)) return kResultFalse;
        *object = same(id, IMessage_iid) ? static_cast<void*>(static_cast<IMessage*>(new Message))
                                         : static_cast<void*>(static_cast<IAttributeList*>(new Message));
        return kResultOk;
    }
    tresult PLUGIN_API beginEdit(ParamID) override { return kResultOk; }
    tresult PLUGIN_API performEdit(ParamID, ParamValue) override { return kResultOk; }
    tresult PLUGIN_API endEdit(ParamID) override { return kResultOk; }
    tresult PLUGIN_API restartComponent(int32) override { return kResultOk; }
    tresult PLUGIN_API queryInterface(const TUID id, void** object) override {
        if (same(id, IHostApplication_iid) || same(id, FUnknown_iid))
            return give(static_cast<IHostApplication*>(this), object);
        if (same(id, IComponentHandler_iid)) return give(static_cast<IComponentHandler*>(this), object);
        *object = nullptr;
        return kNoInterface;
    }
};

Host g_host;

class Notes final : public Counted<IEventList> {
public:
    std::vector<Vst::Event> events;
    int32 PLUGIN_API getEventCount() override { return static_cast<int32>(events.size()); }
    tresult PLUGIN_API getEvent(int32 index, Vst::Event& event) override {
        if (index < 0 || index >= getEventCount()) return kInvalidArgument;
        event = events[static_cast<std::size_t>(index)];
        return kResultOk;
    }
    tresult PLUGIN_API addEvent(Vst::Event& event) override { return events.push_back(event), kResultOk; }
    tresult PLUGIN_API queryInterface(const TUID, void** object) override { return *object = nullptr, kNoInterface; }
};

class Changes final : public Counted<IParameterChanges, IParamValueQueue> {
public:
    ParamID id = 0;
    ParamValue value = 0.0;
    int32 count = 1;
    int32 PLUGIN_API getParameterCount() override { return count; }
    IParamValueQueue* PLUGIN_API getParameterData(int32 index) override {
        return index == 0 && count > 0 ? this : nullptr;
    }
    IParamValueQueue* PLUGIN_API addParameterData(const ParamID&, int32&) override { return nullptr; }
    ParamID PLUGIN_API getParameterId() override { return id; }
    int32 PLUGIN_API getPointCount() override { return 1; }
    tresult PLUGIN_API getPoint(int32, int32& offset, ParamValue& to) override {
        return offset = 0, to = value, kResultOk;
    }
    tresult PLUGIN_API addPoint(int32, ParamValue, int32&) override { return kResultFalse; }
    tresult PLUGIN_API queryInterface(const TUID, void** object) override { return *object = nullptr, kNoInterface; }
};

class Memory final : public Counted<IBStream> {
public:
    Bytes bytes;
    int64 at = 0;
    tresult PLUGIN_API read(void* to, int32 size, int32* got) override {
        const auto take = std::clamp<int64>(static_cast<int64>(bytes.size()) - at, 0, size);
        if (take > 0) std::memcpy(to, bytes.data() + at, static_cast<std::size_t>(take));
        at += take;
        if (got != nullptr) *got = static_cast<int32>(take);
        return kResultOk;
    }
    tresult PLUGIN_API write(void* from, int32 size, int32* put) override {
        bytes.resize(std::max(bytes.size(), static_cast<std::size_t>(at + size)));
        std::memcpy(bytes.data() + at, from, static_cast<std::size_t>(size));
        at += size;
        if (put != nullptr) *put = size;
        return kResultOk;
    }
    tresult PLUGIN_API seek(int64 to, int32 mode, int64* result) override {
        at = mode == kIBSeekSet ? to : mode == kIBSeekCur ? at + to : static_cast<int64>(bytes.size()) + to;
        if (result != nullptr) *result = at;
        return kResultOk;
    }
    tresult PLUGIN_API tell(int64* to) override { return *to = at, kResultOk; }
    tresult PLUGIN_API queryInterface(const TUID, void** object) override { return *object = nullptr, kNoInterface; }
};

// Both halves, connected as a host does it.
struct Objects {
    void* library = nullptr;
    bool (*leave)() = nullptr;
    IPluginFactory* factory = nullptr;
    IComponent* component = nullptr;
    IAudioProcessor* processor = nullptr;
    IEditController* controller = nullptr;
    bool one_object = false;
    PClassInfo about{};

    explicit Objects(const Context& context) {
        if (context.how == "planted")
            factory = planted_vst3();
        else {
            library = dlopen(shared_object(context.path).c_str(), RTLD_NOW | RTLD_LOCAL);
            if (library == nullptr) throw std::runtime_error("cannot be loaded: " + std::string(dlerror()));
            const auto enter = reinterpret_cast<bool (*)(void*)>(dlsym(library, "ModuleEntry"));
            leave = reinterpret_cast<bool (*)()>(dlsym(library, "ModuleExit"));
            const auto get = reinterpret_cast<IPluginFactory* (*)()>(dlsym(library, "GetPluginFactory"));
            if (enter == nullptr || leave == nullptr || get == nullptr || !enter(library))
                throw std::runtime_error("lacks an entry point, or does not start");
            factory = get();
        }
        if (factory == nullptr) throw std::runtime_error("has no factory");
        for (int32 i = 0; i < factory->countClasses(); ++i)
            if (factory->getClassInfo(i, &about) == kResultOk && std::strcmp(about.category, kVstAudioEffectClass) == 0)
                break;
        if (factory->createInstance(about.cid, IComponent_iid, reinterpret_cast<void**>(&component)) != kResultOk)
            throw std::runtime_error("gives no component");
        begin();
    }
    void begin() {
        if (component->initialize(static_cast<IHostApplication*>(&g_host)) != kResultOk)
            throw std::runtime_error("its component cannot be initialized");
        if (component->queryInterface(IAudioProcessor_iid, reinterpret_cast<void**>(&processor)) != kResultOk)
            throw std::runtime_error("its component is no processor");
        one_object = component->queryInterface(IEditController_iid, reinterpret_cast<void**>(&controller)) == kResultOk;
        if (!one_object) {
            TUID id;
            if (component->getControllerClassId(id) != kResultOk ||
                factory->createInstance(id, IEditController_iid, reinterpret_cast<void**>(&controller)) != kResultOk)
                throw std::runtime_error("gives no controller");
            if (controller->initialize(static_cast<IHostApplication*>(&g_host)) != kResultOk)
                throw std::runtime_error("its controller cannot be initialized");
            connect(true);
        }
        controller->setComponentHandler(&g_host);
    }
    void connect(bool on) {
        IConnectionPoint *one = nullptr, *two = nullptr;
        component->queryInterface(IConnectionPoint_iid, reinterpret_cast<void**>(&one));
        controller->queryInterface(IConnectionPoint_iid, reinterpret_cast<void**>(&two));
        if (one != nullptr && two != nullptr) {
            if (on)
                one->connect(two), two->connect(one);
            else
                one->disconnect(two), two->disconnect(one);
        }
        if (one != nullptr) one->release();
        if (two != nullptr) two->release();
    }
    void end() {
        controller->setComponentHandler(nullptr);
        if (!one_object) {
            connect(false);
            controller->terminate();
        }
        controller->release();
        processor->release();
        component->terminate();
        controller = nullptr;
        processor = nullptr;
    }
    ~Objects() {
        end();
        component->release();
        factory->release();
        if (leave != nullptr) leave();
        if (library != nullptr) dlclose(library);
    }

    tresult setup(int32 size = kSample32, int32 frames = 512) {
        ProcessSetup how{kRealtime, size, frames, 48000.0};
        component->activateBus(kAudio, kOutput, 0, true);
        component->activateBus(kEvent, kInput, 0, true);
        return processor->setupProcessing(how);
    }
    bool play(bool on) {
        if (on) return component->setActive(true) == kResultOk && processor->setProcessing(true) != kInvalidArgument;
        processor->setProcessing(false);
        return component->setActive(false) == kResultOk;
    }
    // One block, with a note at its beginning where `key` is one; the largest sample of it.
    float block(int key, int frames = 512, uint64* silence = nullptr, ProcessContext* context = nullptr,
                bool bare = false) {
        std::vector<float> left(2048, 0.5f), right(2048, 0.5f);
        float* channels[] = {left.data(), right.data()};
        AudioBusBuffers out;
        out.numChannels = 2;
        out.channelBuffers32 = channels;
        Notes notes, back;
        if (key >= 0) {
            Vst::Event event{};
            event.type = Vst::Event::kNoteOnEvent;
            event.noteOn = {0, static_cast<int16>(key), 0.0f, 0.8f, 0, -1};
            notes.events.push_back(event);
        }
        Changes changes;
        changes.count = 0;
        ProcessData data;
        data.processMode = kRealtime;
        data.symbolicSampleSize = kSample32;
        data.numSamples = frames;
        data.numOutputs = 1;
        data.outputs = &out;
        data.inputEvents = bare && key < 0 ? nullptr : &notes;
        data.outputEvents = bare ? nullptr : &back;
        data.inputParameterChanges = bare ? nullptr : &changes;
        data.processContext = context;
        processor->process(data);
        if (silence != nullptr) *silence = out.silenceFlags;
        float most = 0.0f;
        for (int i = 0; i < std::clamp(frames, 0, 2048); ++i)
            most = std::max(
                {most, std::abs(left[static_cast<std::size_t>(i)]), std::abs(right[static_cast<std::size_t>(i)])});
        return most;
    }
    bool sounds() {
        float most = block(60);
        for (int i = 0; i < 20; ++i)
            most = std::max(most, block(-1));
        return most > 0.001f && most < 10.0f;
    }
};

void factory(Context& context) {
    Objects o(context);
    PFactoryInfo info{};
    context.check(o.factory->getFactoryInfo(&info) == kResultOk && info.vendor[0] != 0, "its factory names no vendor");
    PClassInfo about{};
    context.check(o.factory->getClassInfo(o.factory->countClasses(), &about) != kResultOk,
                  "it describes a class beyond its count");
    context.check(o.factory->getClassInfo(-1, &about) != kResultOk, "it describes a class before the first");
    void* object = nullptr;
    TUID none = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    context.check(o.factory->createInstance(none, IComponent_iid, &object) != kResultOk,
                  "it makes an instance of a class that there is not");
}

void buses(Context& context) {
    Objects o(context);
    context.check(o.component->getBusCount(kEvent, kInput) >= 1, "it has no event input");
    context.check(o.component->getBusCount(kAudio, kOutput) >= 1, "it has no audio output");
    for (const auto type : {kAudio, kEvent})
        for (const auto direction : {kInput, kOutput}) {
            const int32 count = o.component->getBusCount(type, direction);
            for (int32 i = 0; i < count; ++i) {
                BusInfo info{};
                context.check(o.component->getBusInfo(type, direction, i, info) == kResultOk,
                              "a bus that it counts is not there");
                context.check(info.mediaType == type && info.direction == direction && info.channelCount >= 0 &&
                                  info.name[0] != 0,
                              "a bus describes itself wrongly");
                SpeakerArrangement speakers = 0;
                if (type == kAudio && o.processor->getBusArrangement(direction, i, speakers) == kResultOk)
                    context.check(SpeakerArr::getChannelCount(speakers) == info.channelCount,
                                  "a bus has other channels than its speakers");
                context.check(o.component->activateBus(type, direction, i, true) == kResultOk &&
                                  o.component->activateBus(type, direction, i, false) == kResultOk,
                              "a bus cannot be switched");
            }
            for (const int32 odd : {int32{-1}, count, int32{1000}}) {
                BusInfo info{};
                context.check(o.component->getBusInfo(type, direction, odd, info) != kResultOk,
                              "a bus that is not there is described: " + number(odd));
                context.check(o.component->activateBus(type, direction, odd, true) != kResultOk,
                              "a bus that is not there is switched on: " + number(odd));
            }
        }
}

void arrangements(Context& context) {
    Objects o(context);
    SpeakerArrangement now = 0;
    context.check(o.processor->getBusArrangement(kOutput, 0, now) == kResultOk, "its output has no speakers");
    const SpeakerArrangement first = now;
    context.check(o.processor->setBusArrangements(nullptr, 0, &now, 1) == kResultTrue, "its own speakers are refused");
    for (SpeakerArrangement wanted : {SpeakerArr::kMono, SpeakerArr::kStereo, SpeakerArr::k51, SpeakerArr::k71_4,
                                      SpeakerArrangement{0}, ~SpeakerArrangement{0}}) {
        const bool taken = o.processor->setBusArrangements(nullptr, 0, &wanted, 1) == kResultTrue;
        SpeakerArrangement got = 0;
        o.processor->getBusArrangement(kOutput, 0, got);
        BusInfo info{};
        o.component->getBusInfo(kAudio, kOutput, 0, info);
        context.check(SpeakerArr::getChannelCount(got) == info.channelCount,
                      "after a change the bus has other channels than its speakers");
        context.check(!taken || got == wanted, "speakers were taken and are not there");
    }
    SpeakerArrangement back = first;
    context.check(o.processor->setBusArrangements(nullptr, 0, &back, 1) == kResultTrue,
                  "the first speakers are refused in the end");
    context.check(o.setup() == kResultOk && o.play(true) && o.sounds(), "then it is silent");
    o.play(false);
}

void parameters(Context& context) {
    Objects o(context);
    std::set<UnitID> units{kRootUnitId};
    IUnitInfo* unit_info = nullptr;
    if (o.controller->queryInterface(IUnitInfo_iid, reinterpret_cast<void**>(&unit_info)) == kResultOk) {
        for (int32 i = 0; i < unit_info->getUnitCount(); ++i) {
            UnitInfo info{};
            context.check(unit_info->getUnitInfo(i, info) == kResultOk, "a unit that it counts is not there");
            units.insert(info.id);
        }
        for (int32 i = 0; i < unit_info->getUnitCount(); ++i) {
            UnitInfo info{};
            unit_info->getUnitInfo(i, info);
            context.check(info.parentUnitId == kNoParentUnitId || units.contains(info.parentUnitId),
                          "a unit's parent is not there");
        }
        unit_info->release();
    }
    std::set<ParamID> ids;
    int bypasses = 0;
    for (int32 i = 0; i < o.controller->getParameterCount(); ++i) {
        ParameterInfo info{};
        if (!context.check(o.controller->getParameterInfo(i, info) == kResultOk,
                           "a parameter that it counts is not there"))
            continue;
        context.check(ids.insert(info.id).second, "two parameters have the id " + number(info.id));
        context.check(info.title[0] != 0 && info.stepCount >= 0 && info.defaultNormalizedValue >= 0.0 &&
                          info.defaultNormalizedValue <= 1.0,
                      "parameter " + number(info.id) + " describes itself wrongly");
        context.check(units.contains(info.unitId), "parameter " + number(info.id) + " is in a unit that there is not");
        bypasses += (info.flags & ParameterInfo::kIsBypass) != 0;
        const ParamValue value = o.controller->getParamNormalized(info.id);
        context.check(value >= 0.0 && value <= 1.0, "parameter " + number(info.id) + " stands at " + number(value));
        const ParamValue plain = o.controller->normalizedParamToPlain(info.id, 0.5),
                         back = o.controller->plainParamToNormalized(info.id, plain);
        if (info.stepCount == 0)
            context.check(std::abs(back - 0.5) < 1e-3,
                          "parameter " + number(info.id) + ": its plain value does not lead back");
    }
    context.check(bypasses <= 1, "it has more than one bypass");
    ParameterInfo info{};
    context.check(o.controller->getParameterInfo(-1, info) != kResultOk &&
                      o.controller->getParameterInfo(o.controller->getParameterCount(), info) != kResultOk,
                  "a parameter that is not there is described");
    context.note(number(o.controller->getParameterCount()) + " parameters, " +
                 number(static_cast<double>(units.size())) + " units");
}

void midi_mapping(Context& context) {
    Objects o(context);
    IMidiMapping* mapping = nullptr;
    if (o.controller->queryInterface(IMidiMapping_iid, reinterpret_cast<void**>(&mapping)) != kResultOk)
        return context.skip("it has no MIDI mapping");
    std::set<ParamID> ids;
    for (int32 i = 0; i < o.controller->getParameterCount(); ++i) {
        ParameterInfo info{};
        if (o.controller->getParameterInfo(i, info) == kResultOk) ids.insert(info.id);
    }
    int mapped = 0;
    for (int16 channel = 0; channel < 16; ++channel)
        for (int16 number_of = 0; number_of < 130; ++number_of) {
            ParamID id = 0;
            if (mapping->getMidiControllerAssignment(0, channel, number_of, id) != kResultOk) continue;
            ++mapped;
            context.check(ids.contains(id),
                          "controller " + number(number_of) + " leads to a parameter that there is not");
        }
    ParamID id = 0;
    context.check(mapping->getMidiControllerAssignment(1000, 0, 1, id) != kResultOk || ids.contains(id),
                  "a bus that is not there has controllers");
    mapping->release();
    context.note(number(mapped) + " controllers lead to parameters");
}

void transitions(Context& context) {
    Objects o(context);
    for (int round = 0; round < 3; ++round) {
        context.check(o.processor->canProcessSampleSize(kSample32) == kResultTrue, "it cannot process 32-bit samples");
        context.check(o.setup() == kResultOk, "setupProcessing fails in round " + number(round));
        context.check(o.play(true), "it cannot be activated in round " + number(round));
        context.check(o.sounds(), "it is silent in round " + number(round));
        context.check(o.play(false), "it cannot be deactivated in round " + number(round));
        if (round == 1) { // ended and begun again
            o.end();
            o.begin();
        }
    }
}

void invalid_transitions(Context& context) {
    for (int order = 0; order < 6; ++order) {
        Objects o(context);
        switch (order) {
        case 0:
            o.block(60);
            break; // processed before anything
        case 1:
            o.processor->setProcessing(true);
            break; // before it is active
        case 2:
            o.setup(), o.component->setActive(true), o.component->setActive(true);
            break; // twice
        case 3:
            o.setup(), o.play(true), o.setup();
            break; // set up while it plays
        case 4:
            o.component->setActive(false), o.processor->setProcessing(false);
            break; // ended before it began
        case 5:
            o.setup(), o.play(true), o.component->setActive(false), o.block(60);
            break; // processed after its end
        }
        o.processor->setProcessing(false);
        o.component->setActive(false);
        context.check(o.setup() == kResultOk && o.play(true) && o.sounds(),
                      "after calls out of order (" + number(order) + ") it does not sound");
        o.play(false);
    }
}

void flush(Context& context) {
    Objects o(context);
    if (o.controller->getParameterCount() == 0) return context.skip("it has no parameters");
    ParameterInfo info{};
    int32 place = 0;
    while (place < o.controller->getParameterCount() &&
           (o.controller->getParameterInfo(place, info) != kResultOk ||
            (info.flags & ParameterInfo::kCanAutomate) == 0 || info.stepCount > 0))
        ++place;
    Memory before, after;
    o.component->getState(&before);
    if (!context.check(o.setup() == kResultOk && o.play(true), "it cannot be activated")) return;
    for (int round = 0; round < 3; ++round) {
        Changes changes;
        changes.id = info.id;
        changes.value = 0.9 - 0.1 * round;
        ProcessData data;
        data.symbolicSampleSize = kSample32;
        data.numSamples = 0;
        AudioBusBuffers empty;
        if (round > 0) data.numOutputs = 1, data.outputs = &empty; // a bus without channels, or no bus at all
        data.inputParameterChanges = &changes;
        context.check(o.processor->process(data) != kInternalError, "a flush of parameters fails");
    }
    o.play(false);
    o.component->getState(&after);
    context.check(before.bytes != after.bytes, "a parameter that was flushed is not in the state");
}

void silence_flags(Context& context) {
    Objects o(context);
    if (!context.check(o.setup() == kResultOk && o.play(true), "it cannot be activated")) return;
    for (int i = 0; i < 40; ++i) {
        uint64 flags = 0;
        const float most = o.block(i == 5 ? 60 : -1, 512, &flags);
        context.check((flags & 3) != 3 || most == 0.0f, "it calls silent what is not");
    }
    o.play(false);
}

void bare_process(Context& context) {
    Objects o(context);
    if (!context.check(o.setup() == kResultOk && o.play(true), "it cannot be activated")) return;
    for (int i = 0; i < 10; ++i)
        o.block(-1, 512, nullptr, nullptr, true); // no events, no changes, no context
    ProcessContext odd{};
    odd.sampleRate = NAN;
    odd.state = ~0u;
    odd.tempo = -1e300;
    odd.projectTimeMusic = INFINITY;
    odd.timeSigDenominator = 0;
    for (int i = 0; i < 10; ++i)
        o.block(-1, 512, nullptr, &odd);
    context.check(o.sounds(), "then it is silent");
    o.play(false);
}

void odd_blocks(Context& context) {
    Objects o(context);
    if (!context.check(o.setup() == kResultOk && o.play(true), "it cannot be activated")) return;
    for (const int frames : {0, 1024, -1, 511, 1, -50000, 513})
        o.block(60, frames);
    context.check(o.sounds(), "then it is silent");
    o.play(false);
}

} // namespace

std::vector<Check> vst3_checks() {
    return {
        {"vst3.factory", "Steinberg", "a vendor, classes inside its count, nothing for ids that are not its own",
         factory, "VST3"},
        {"vst3.buses", "Steinberg; its disabled bus index test",
         "buses describe themselves rightly; those that are not there are refused", buses, "VST3"},
        {"vst3.arrangements", "Steinberg", "speakers asked for are there or refused, and agree with the bus",
         arrangements, "VST3"},
        {"vst3.parameters", "Steinberg", "units, ids, ranges, plain values and back", parameters, "VST3"},
        {"vst3.midi_mapping", "Steinberg", "every controller leads to a parameter that there is", midi_mapping, "VST3"},
        {"vst3.transitions", "Steinberg",
         "set up, active, processing and back, three times; terminated and initialized between", transitions, "VST3"},
        {"vst3.invalid_transitions", "Steinberg's disabled tests, fault 30",
         "calls out of order are survived, and it sounds afterwards", invalid_transitions, "VST3"},
        {"vst3.flush", "Steinberg", "parameters in a block of nothing, without buses: they are in the state", flush,
         "VST3"},
        {"vst3.silence_flags", "Steinberg", "what it calls silent is", silence_flags, "VST3"},
        {"vst3.bare_process", "Steinberg", "no events, no changes, no context; then a context of nonsense",
         bare_process, "VST3"},
        {"vst3.odd_blocks", "Steinberg under TOUGHTESTS", "blocks of 0, -1, -50,000 and twice the declared size",
         odd_blocks, "VST3"},
    };
}

} // namespace tutti::host
