// SPDX-License-Identifier: MIT
// Stand-ins for what gpu/metal/device.mm uses of Apple's Metal.
#pragma once

#ifdef __OBJC__

#include <Foundation/Foundation.h>

typedef enum { MTLResourceStorageModeShared, MTLResourceStorageModePrivate } MTLResourceOptions;
typedef enum : NSUInteger { MTLResourceUsageRead = 1, MTLResourceUsageWrite = 2 } MTLResourceUsage;
MTLResourceUsage operator|(MTLResourceUsage a, MTLResourceUsage b);
typedef enum { MTLLanguageVersion3_2 } MTLLanguageVersion;
typedef enum { MTLMathModeSafe } MTLMathMode;
typedef enum { MTLMathFloatingPointFunctionsPrecise } MTLMathFloatingPointFunctions;
typedef enum { MTLGPUFamilyMetal3 } MTLGPUFamily;
struct MTLSize {
    NSUInteger width, height, depth;
};
MTLSize MTLSizeMake(NSUInteger width, NSUInteger height, NSUInteger depth);

@interface MTLCompileOptions : NSObject
@property MTLLanguageVersion languageVersion;
@property MTLMathMode mathMode;
@property MTLMathFloatingPointFunctions mathFloatingPointFunctions;
@end
@protocol MTLResource
@end
@protocol MTLBuffer <MTLResource>
- (void*)contents;
- (NSUInteger)length;
- (unsigned long)gpuAddress;
@end
@protocol MTLFunction
@end
@protocol MTLComputePipelineState
- (NSUInteger)maxTotalThreadsPerThreadgroup;
@end
@protocol MTLLibrary
- (id<MTLFunction>)newFunctionWithName:(NSString*)name;
@end
@protocol MTLComputeCommandEncoder
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state;
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)setBytes:(const void*)bytes length:(NSUInteger)length atIndex:(NSUInteger)index;
- (void)useResource:(id<MTLResource>)resource usage:(MTLResourceUsage)usage;
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads;
- (void)endEncoding;
@end
@protocol MTLBlitCommandEncoder
- (void)copyFromBuffer:(id<MTLBuffer>)source
          sourceOffset:(NSUInteger)from
              toBuffer:(id<MTLBuffer>)target
     destinationOffset:(NSUInteger)to
                  size:(NSUInteger)size;
- (void)endEncoding;
@end
@protocol MTLCommandBuffer
- (id<MTLComputeCommandEncoder>)computeCommandEncoder;
- (id<MTLBlitCommandEncoder>)blitCommandEncoder;
- (void)addCompletedHandler:(void (^)(id<MTLCommandBuffer>))block;
- (void)commit;
- (void)waitUntilCompleted;
- (NSError*)error;
@end
@protocol MTLCommandQueue
- (id<MTLCommandBuffer>)commandBuffer;
@end
@protocol MTLDevice
- (NSString*)name;
- (bool)hasUnifiedMemory;
- (bool)supportsFamily:(MTLGPUFamily)family;
- (unsigned long)recommendedMaxWorkingSetSize;
- (id<MTLLibrary>)newLibraryWithSource:(NSString*)source
                               options:(MTLCompileOptions*)options
                                 error:(NSError* __strong*)error;
- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function
                                                             error:(NSError* __strong*)error;
- (id<MTLCommandQueue>)newCommandQueue;
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options;
@end
id<MTLDevice> MTLCreateSystemDefaultDevice();

#endif
