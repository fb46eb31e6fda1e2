// SPDX-License-Identifier: MIT
// Stand-ins for what gpu/metal/device.mm uses of Apple's Foundation and libdispatch: its syntax can be checked without a Mac.
#pragma once

#ifdef __OBJC__

typedef unsigned long NSUInteger;
#define nil nullptr

@interface NSObject
+ (instancetype)new;
@end
@interface NSString : NSObject
+ (instancetype)stringWithUTF8String:(const char*)text;
- (const char*)UTF8String;
@end
@interface NSError : NSObject
- (NSString*)localizedDescription;
@end
@interface NSProcessInfo : NSObject
+ (NSProcessInfo*)processInfo;
- (NSString*)operatingSystemVersionString;
@end

typedef NSObject* dispatch_semaphore_t;
#define DISPATCH_TIME_NOW 0ull
dispatch_semaphore_t dispatch_semaphore_create(long value);
long dispatch_semaphore_wait(dispatch_semaphore_t semaphore, unsigned long long timeout);
long dispatch_semaphore_signal(dispatch_semaphore_t semaphore);

#endif
