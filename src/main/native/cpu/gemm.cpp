#include "cpu/gemm.h"

#include <omp.h>
#include <stdlib.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>
#include <unordered_map>

#include "lora_ops.h"

namespace ln {

namespace {

using Key = std::tuple<int64_t, int64_t, int64_t, int, float, int64_t, int64_t, int64_t>;

struct KeyHash {
  size_t operator()(const Key& k) const {
    size_t h = 1469598103934665603u;
    auto mix = [&h](size_t x) { h = (h ^ x) * 1099511628211u; };
    mix(size_t(std::get<0>(k)));
    mix(size_t(std::get<1>(k)));
    mix(size_t(std::get<2>(k)));
    mix(size_t(std::get<3>(k)));
    mix(std::hash<float>()(std::get<4>(k)));
    mix(size_t(std::get<5>(k)));
    mix(size_t(std::get<6>(k)));
    mix(size_t(std::get<7>(k)));
    return h;
  }
};

dnnl::memory::data_type type_of(int32_t dtype) {
  return dtype == LN_BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

struct Primitive {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul matmul;
  dnnl::memory a, b, c, bias, scratch;
};

}  // namespace

struct Gemms {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads;
  std::unordered_map<Key, Primitive, KeyHash> made;
  void* scratch = nullptr;
  size_t scratch_bytes = 0;
};

Gemms* gemms_open(int threads) {
  Gemms* gemms = new Gemms;
  gemms->threads = threads;
  return gemms;
}

void gemms_close(Gemms* gemms) {
  free(gemms->scratch);
  delete gemms;
}

int64_t gemms_scratch_bytes(const Gemms* gemms) { return int64_t(gemms->scratch_bytes); }

static Primitive make(Gemms& gemms, const Gemm& g) {
  using tag = dnnl::memory::format_tag;
  auto operand = [](int64_t rows, int64_t columns, const Matrix& m) {
    int64_t pitch = m.pitch(rows, columns);
    dnnl::memory::dims strides{m.transposed ? 1 : pitch, m.transposed ? pitch : 1};
    return dnnl::memory::desc({rows, columns}, type_of(m.dtype), strides);
  };
  auto a = operand(g.M, g.K, g.a), b = operand(g.K, g.N, g.b), c = operand(g.M, g.N, g.c);
  dnnl::primitive_attr attributes;
  // Scratch memory is ours, so that a run allocates nothing once its shapes have been seen.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops after;
  if (g.scale != 1.0f) after.append_eltwise(dnnl::algorithm::eltwise_linear, g.scale, 0.0f);
  if (g.accumulate) after.append_sum(1.0f);
  attributes.set_post_ops(after);

  Primitive p;
  if (g.bias) {
    dnnl::memory::desc bias({1, g.N}, dnnl::memory::data_type::f32, tag::ab);
    p.desc = dnnl::matmul::primitive_desc(gemms.engine, a, b, bias, c, attributes);
    p.bias = dnnl::memory(bias, gemms.engine, nullptr);
  } else {
    p.desc = dnnl::matmul::primitive_desc(gemms.engine, a, b, c, attributes);
  }
  p.matmul = dnnl::matmul(p.desc);
  p.a = dnnl::memory(a, gemms.engine, nullptr);
  p.b = dnnl::memory(b, gemms.engine, nullptr);
  p.c = dnnl::memory(c, gemms.engine, nullptr);
  p.scratch = dnnl::memory(p.desc.scratchpad_desc(), gemms.engine, nullptr);
  size_t need = p.desc.scratchpad_desc().get_size();
  if (need > gemms.scratch_bytes) {
    free(gemms.scratch);
    gemms.scratch_bytes = (need + 4095) / 4096 * 4096;
    gemms.scratch = aligned_alloc(4096, gemms.scratch_bytes);
    if (!gemms.scratch) throw std::bad_alloc();
  }
  return p;
}

int onednn_gemm(Device* device, const Gemm& g) {
  if (g.M == 0 || g.N == 0) return LN_OK;
  if (g.rank) {
    int status = onednn_gemm(device, g.without_low_rank());
    return status ? status : onednn_gemm(device, g.low_rank_alone());
  }
  Gemms& gemms = *device->gemms;
  try {
    // The thread count is a property of the calling thread in OpenMP.
    if (omp_get_max_threads() != gemms.threads) omp_set_num_threads(gemms.threads);
    int flags = g.a.transposed | g.b.transposed << 1 | (g.bias != 0) << 2 | g.accumulate << 3 |
                g.a.dtype << 4 | g.b.dtype << 8 | g.c.dtype << 12;
    Key key{g.M, g.N, g.K, flags, g.scale, g.a.stride, g.b.stride, g.c.stride};
    auto found = gemms.made.find(key);
    if (found == gemms.made.end()) found = gemms.made.emplace(key, make(gemms, g)).first;
    Primitive& p = found->second;
    p.a.set_data_handle(ptr<void>(g.a.address));
    p.b.set_data_handle(ptr<void>(g.b.address));
    p.c.set_data_handle(ptr<void>(g.c.address));
    p.scratch.set_data_handle(gemms.scratch);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, p.a},
                                                    {DNNL_ARG_WEIGHTS, p.b},
                                                    {DNNL_ARG_DST, p.c},
                                                    {DNNL_ARG_SCRATCHPAD, p.scratch}};
    if (g.bias) {
      p.bias.set_data_handle(ptr<void>(g.bias));
      arguments.emplace(DNNL_ARG_BIAS, p.bias);
    }
    p.matmul.execute(gemms.stream, arguments);
    gemms.stream.wait();
    return LN_OK;
  } catch (const dnnl::error& e) {
    return fail(LN_FAILED, "oneDNN matmul of %lld x %lld x %lld: %s", (long long)g.M,
                (long long)g.N, (long long)g.K, e.what());
  } catch (const std::exception& e) {
    return fail(LN_OUT_OF_MEMORY, "matmul of %lld x %lld x %lld: %s", (long long)g.M,
                (long long)g.N, (long long)g.K, e.what());
  }
}

}  // namespace ln
