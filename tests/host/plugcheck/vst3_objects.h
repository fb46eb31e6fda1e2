// SPDX-License-Identifier: AGPL-3.0-or-later
// VST3's bare interfaces, as both ends of the checks need them.
#pragma once

#include <cstring>

#include <pluginterfaces/base/ibstream.h>
#include <pluginterfaces/base/ipluginbase.h>
#include <pluginterfaces/vst/ivstaudioprocessor.h>
#include <pluginterfaces/vst/ivstcomponent.h>
#include <pluginterfaces/vst/ivsteditcontroller.h>
#include <pluginterfaces/vst/ivstevents.h>
#include <pluginterfaces/vst/ivsthostapplication.h>
#include <pluginterfaces/vst/ivstmessage.h>
#include <pluginterfaces/vst/ivstmidicontrollers.h>
#include <pluginterfaces/vst/ivstparameterchanges.h>
#include <pluginterfaces/vst/ivstprocesscontext.h>
#include <pluginterfaces/vst/ivstunits.h>
#include <pluginterfaces/vst/vstspeaker.h>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {

inline bool same(const Steinberg::TUID a, const Steinberg::TUID b) {
    return std::memcmp(a, b, sizeof(Steinberg::TUID)) == 0;
}

// Interfaces whose owner is a variable, or one that a caller keeps for ever: counting is for show.
template <class... Interfaces>
class Counted : public Interfaces... {
public:
    Steinberg::uint32 PLUGIN_API addRef() override { return 1000; }
    Steinberg::uint32 PLUGIN_API release() override { return 1000; }

protected:
    virtual ~Counted() = default;
    template <class T>
    static Steinberg::tresult give(T* self, void** object) {
        *object = self;
        return Steinberg::kResultOk;
    }
};

// The factory of a small plugin that passes every check of VST3 and fails the one that TUTTI_PLANTED names.
Steinberg::IPluginFactory* planted_vst3();

} // namespace tutti::host
