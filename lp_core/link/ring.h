/* The shared-memory ring of live frames, for readers in C; lp_core/link/ring.py tells how it is used.
 * Little endian. Copy a slot only where its sequence is even, unchanged after the copy, and frame == frame_end. */
#include <stdint.h>

typedef struct {
    char magic[4]; /* "LPSM" */
    uint32_t version, header_size, slot_count;
    uint64_t session, slot_stride;
    uint32_t width, height, stride, format; /* format 3: RGBA, 5: BGRA; straight alpha */
    uint32_t flags, pid;
    uint64_t latest, heartbeat_ns;
    uint64_t status_sequence;
    uint32_t state, message_size;
    char message[1024];
    char unused[936];
    uint64_t reader_sequence, reader_ns, drawn_frame, drawn_time_ns, drawn_ns; /* at 2048; the reader's */
} lp_ring_header;

typedef struct {
    uint64_t sequence, frame, time_ns;
    uint32_t width, height, stride, format;
    uint64_t done_ns, unused, frame_end;
} lp_ring_slot; /* 64 bytes, then stride * height bytes of pixels */
