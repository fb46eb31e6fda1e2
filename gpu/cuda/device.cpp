// SPDX-License-Identifier: MIT
#include "gpu/cuda/device.h"

#include <cstring>

#include "gpu/cuda/driver.h"
#include "gpu/cuda/images.h"
#include "gpu/device/program.h"

namespace tutti::gpu {
namespace {

Status no_device(const std::string& what) {
    return Status(Code::unsupported, what, "voices are rendered on the CPU", "see: tutti devices -v");
}

class Cuda {
public:
    static Result<std::unique_ptr<Device>> open(int index, const DeviceInfo& info) {
        auto self = std::make_unique<Cuda>();
        if (const std::string what = self->prepare(index, info); !what.empty()) return no_device(what);
        return std::make_unique<Device>(info, table(), self.release());
    }
    ~Cuda() {
        const CudaDriver& d = *cuda_driver(nullptr);
        if (m_context == nullptr) return;
        d.cuCtxSetCurrent(m_context);
        if (m_stream != nullptr) d.cuStreamSynchronize(m_stream);
        if (m_transfers != nullptr) d.cuStreamSynchronize(m_transfers);
        for (void* graph : m_graphs)
            d.cuGraphExecDestroy(graph);
        for (const CudaAddress address : m_memory)
            d.cuMemFree_v2(address);
        for (void* host : m_shared)
            d.cuMemFreeHost(host);
        for (void* module : m_modules)
            d.cuModuleUnload(module);
        if (m_uploaded != nullptr) d.cuEventDestroy_v2(m_uploaded);
        if (m_transfers != nullptr) d.cuStreamDestroy_v2(m_transfers);
        if (m_stream != nullptr) d.cuStreamDestroy_v2(m_stream);
        d.cuDevicePrimaryCtxRelease_v2(m_device);
    }

private:
    static Cuda& of(void* self) {
        Cuda& cuda = *static_cast<Cuda*>(self);
        cuda_driver(nullptr)->cuCtxSetCurrent(cuda.m_context); // whichever thread calls
        return cuda;
    }
    std::string prepare(int index, const DeviceInfo& info) {
        const CudaDriver& d = *cuda_driver(nullptr);
        if (d.cuDeviceGet(&m_device, index) != 0 || d.cuDevicePrimaryCtxRetain(&m_context, m_device) != 0)
            return "the CUDA device " + std::to_string(index) + " cannot be opened";
        d.cuCtxSetCurrent(m_context);
        int shared_most = 0;
        d.cuDeviceGetAttribute(&shared_most, cuda_shared_memory_optin, m_device);
        if (shared_most < static_cast<int>(sizeof(Shared)))
            return info.name + " has " + std::to_string(shared_most / 1024) +
                   " KB of shared memory a block, the voices need 66";
        int least = 0, greatest = 0;
        d.cuCtxGetStreamPriorityRange(&least, &greatest);
        if (d.cuStreamCreateWithPriority(&m_stream, cuda_stream_non_blocking, greatest) != 0 ||
            d.cuStreamCreateWithPriority(&m_transfers, cuda_stream_non_blocking, greatest) != 0 ||
            d.cuEventCreate(&m_uploaded, cuda_event_disable_timing) != 0)
            return "the CUDA device gives no stream";
        if (!load(-1, info) || !function(m_modules.back(), "tutti_apply", program_apply) ||
            !function(m_modules.back(), "tutti_sum", program_sum) ||
            !function(m_modules.back(), "tutti_publish", program_publish))
            return "this build has no program for " + info.name;
        for (int type = 0; type < engine::k_kernel_count; ++type) {
            if (!load(type, info) || !function(m_modules.back(), "tutti_render", program_render + type))
                return "this build has no program of voice type " + std::to_string(type) + " for " + info.name;
            d.cuFuncSetAttribute(m_function[program_render + type], cuda_function_dynamic_shared,
                                 static_cast<int>(sizeof(Shared)));
        }
        return {};
    }
    // Machine code for the device's own architecture or an older one of its generation; else PTX, which the driver compiles.
    bool load(int unit, const DeviceInfo& info) {
        int count = 0;
        const CudaImage* const images = cuda_images(count);
        const int have = info.major * 10 + info.minor;
        const CudaImage* best = nullptr;
        for (int i = 0; i < count; ++i) {
            const CudaImage& image = images[i];
            const bool fits = image.ptx ? image.architecture <= have
                                        : image.architecture / 10 == info.major && image.architecture <= have;
            if (image.unit != unit || !fits) continue;
            if (best == nullptr || (best->ptx && !image.ptx) ||
                (best->ptx == image.ptx && image.architecture > best->architecture))
                best = &image;
        }
        if (best == nullptr) return false;
        std::string text(reinterpret_cast<const char*>(best->begin), static_cast<std::size_t>(best->end - best->begin));
        void* module = nullptr; // PTX is read up to its zero, which the string has
        if (cuda_driver(nullptr)->cuModuleLoadData(&module, text.c_str()) != 0) return false;
        m_modules.push_back(module);
        return true;
    }
    bool function(void* module, const char* name, int program) {
        return cuda_driver(nullptr)->cuModuleGetFunction(&m_function[program], module, name) == 0;
    }
    static const DeviceTable* table();

    int m_device = 0;
    void* m_context = nullptr;
    void* m_stream = nullptr;    // synthesis
    void* m_transfers = nullptr; // uploads
    void* m_uploaded = nullptr;  // event
    void* m_function[program_render + engine::k_kernel_count] = {};
    std::vector<void*> m_modules, m_graphs, m_shared;
    std::vector<CudaAddress> m_memory;
};

CudaAddress address_of(const void* p) {
    return reinterpret_cast<CudaAddress>(p);
}

const DeviceTable* Cuda::table() {
    static const DeviceTable made = {
        [](void* s, std::size_t bytes, void** out) {
            Cuda& cuda = of(s);
            const CudaDriver& d = *cuda_driver(nullptr);
            CudaAddress address = 0;
            if (const int error = d.cuMemAlloc_v2(&address, bytes); error != 0) return error;
            cuda.m_memory.push_back(address);
            *out = reinterpret_cast<void*>(address);
            // On the null stream, for which ours do not wait.
            if (const int error = d.cuMemsetD8_v2(address, 0, bytes); error != 0) return error;
            return d.cuStreamSynchronize(nullptr);
        },
        [](void* s, std::size_t bytes, void** host, void** device) {
            Cuda& cuda = of(s);
            const CudaDriver& d = *cuda_driver(nullptr);
            if (const int error = d.cuMemHostAlloc(host, bytes, cuda_host_mapped | cuda_host_portable); error != 0)
                return error;
            cuda.m_shared.push_back(*host);
            std::memset(*host, 0, bytes);
            CudaAddress address = 0;
            const int error = d.cuMemHostGetDevicePointer_v2(&address, *host, 0);
            *device = reinterpret_cast<void*>(address);
            return error;
        },
        [](void* s, void* to, const void* from, std::size_t bytes) {
            return cuda_driver(nullptr)->cuMemcpyHtoDAsync_v2(address_of(to), from, bytes, of(s).m_transfers);
        },
        [](void* s, void* to, const void* from, std::size_t bytes) {
            return cuda_driver(nullptr)->cuMemcpyDtoHAsync_v2(to, address_of(from), bytes, of(s).m_stream);
        },
        [](void* s) {
            Cuda& cuda = of(s);
            const CudaDriver& d = *cuda_driver(nullptr);
            if (const int error = d.cuEventRecord(cuda.m_uploaded, cuda.m_transfers); error != 0) return error;
            return d.cuStreamWaitEvent(cuda.m_stream, cuda.m_uploaded, 0);
        },
        [](void* s, const Launch& launch) {
            Cuda& cuda = of(s);
            const void* header = launch.header;
            void* arguments[] = {&header};
            const unsigned threads = launch.program == program_publish ? 1u : static_cast<unsigned>(k_threads);
            const unsigned shared = launch.program >= program_render ? static_cast<unsigned>(sizeof(Shared)) : 0u;
            return cuda_driver(nullptr)->cuLaunchKernel(cuda.m_function[launch.program],
                                                        static_cast<unsigned>(launch.blocks), 1, 1, threads, 1, 1,
                                                        shared, cuda.m_stream, arguments, nullptr);
        },
        [](void* s) {
            return cuda_driver(nullptr)->cuStreamBeginCapture_v2(of(s).m_stream, cuda_capture_thread_local);
        },
        [](void* s, Graph* graph) {
            Cuda& cuda = of(s);
            const CudaDriver& d = *cuda_driver(nullptr);
            void* captured = nullptr;
            if (const int error = d.cuStreamEndCapture(cuda.m_stream, &captured); error != 0) return error;
            const int error = d.cuGraphInstantiateWithFlags(graph, captured, 0);
            d.cuGraphDestroy(captured);
            if (error == 0) cuda.m_graphs.push_back(*graph);
            return error;
        },
        [](void* s, Graph graph) { return cuda_driver(nullptr)->cuGraphLaunch(graph, of(s).m_stream); },
        [](void* s) {
            const int error = cuda_driver(nullptr)->cuStreamSynchronize(of(s).m_transfers);
            return error != 0 ? error : cuda_driver(nullptr)->cuStreamSynchronize(of(s).m_stream);
        },
        [](void*, int error) {
            const char* text = nullptr;
            cuda_driver(nullptr)->cuGetErrorString(error, &text);
            return text != nullptr ? text : "CUDA error";
        },
        [](void* s) { delete static_cast<Cuda*>(s); },
    };
    return &made;
}

} // namespace

std::vector<DeviceInfo> list_cuda_devices(std::string& why) {
    std::vector<DeviceInfo> all;
    const CudaDriver* const d = cuda_driver(&why);
    if (d == nullptr) return all;
    int count = 0, version = 0;
    if (d->cuDeviceGetCount(&count) != 0 || count == 0) {
        why = "the CUDA driver sees no device";
        return all;
    }
    d->cuDriverGetVersion(&version);
    for (int i = 0; i < count; ++i) {
        int device = 0;
        char name[256] = {};
        DeviceInfo info;
        if (d->cuDeviceGet(&device, i) != 0) continue;
        d->cuDeviceGetName(name, sizeof name - 1, device);
        d->cuDeviceTotalMem_v2(&info.memory, device);
        d->cuDeviceGetAttribute(&info.major, cuda_capability_major, device);
        d->cuDeviceGetAttribute(&info.minor, cuda_capability_minor, device);
        d->cuDeviceGetAttribute(&info.multiprocessors, cuda_multiprocessors, device);
        int integrated = 0;
        d->cuDeviceGetAttribute(&integrated, cuda_integrated, device);
        info.kind = "cuda";
        info.name = name;
        info.driver = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
        info.index = i;
        info.unified = integrated != 0;
        info.tensor_cores = info.major >= 7;
        all.push_back(info);
    }
    return all;
}

Result<std::unique_ptr<Device>> open_cuda_device(int index) {
    std::string why;
    for (const DeviceInfo& info : list_cuda_devices(why))
        if (info.index == index) return Cuda::open(index, info);
    return no_device(why.empty() ? "there is no CUDA device " + std::to_string(index) : why);
}

} // namespace tutti::gpu
