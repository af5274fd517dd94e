// Convolutions through oneDNN, images in NHWC.
#include <string.h>

#include <unordered_map>

#include "cpu/onednn.h"

namespace ln {

namespace {

struct ConvHash {
  size_t operator()(const Conv& c) const {
    size_t h = 1469598103934665603u;
    for (int64_t x : {c.B, c.H, c.W, c.I, c.OH, c.OW, c.O, c.kernel, c.stride, c.pad,
                      int64_t(c.dtype), int64_t(c.bias), int64_t(c.backward)})
      h = (h ^ size_t(x)) * 1099511628211u;
    return h;
  }
};

struct Primitive {
  dnnl::primitive run;
  dnnl::reorder order;
  dnnl::memory from, to, w, ordered, bias, scratch;
  bool as_it_lies;  // the weights
};

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

struct Convolutions {
  std::unordered_map<Conv, Primitive, ConvHash> made;
};

bool Conv::operator==(const Conv& c) const {
  return B == c.B && H == c.H && W == c.W && I == c.I && OH == c.OH && OW == c.OW && O == c.O &&
         kernel == c.kernel && stride == c.stride && pad == c.pad && dtype == c.dtype &&
         bias == c.bias && backward == c.backward;
}

static Primitive make(OneDnn& dnn, const Conv& c) {
  using tag = dnnl::memory::format_tag;
  using dnnl::algorithm;
  auto type = onednn_type(c.dtype);
  dnnl::memory::desc x({c.B, c.I, c.H, c.W}, type, tag::nhwc);
  dnnl::memory::desc y({c.B, c.O, c.OH, c.OW}, type, tag::nhwc);
  dnnl::memory::desc w({c.O, c.I, c.kernel, c.kernel}, type, tag::ohwi);
  dnnl::memory::desc any({c.O, c.I, c.kernel, c.kernel}, type, tag::any);
  dnnl::memory::desc bias({c.O}, dnnl::memory::data_type::f32, tag::a);
  dnnl::memory::dims strides{c.stride, c.stride}, before{c.pad, c.pad};
  dnnl::memory::dims after{(c.OH - 1) * c.stride + c.kernel - c.H - c.pad,
                           (c.OW - 1) * c.stride + c.kernel - c.W - c.pad};
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::convolution_forward::primitive_desc forward(
      dnn.engine, dnnl::prop_kind::forward_training, algorithm::convolution_direct, x, any,
      c.bias ? bias : dnnl::memory::desc(), y, strides, before, after, attributes);
  Primitive p;
  dnnl::memory::desc liked, scratch;
  if (c.backward) {
    dnnl::convolution_backward_data::primitive_desc desc(dnn.engine, algorithm::convolution_direct,
                                                         x, any, y, strides, before, after, forward,
                                                         attributes);
    p.run = dnnl::convolution_backward_data(desc);
    liked = desc.weights_desc();
    scratch = desc.scratchpad_desc();
  } else {
    p.run = dnnl::convolution_forward(forward);
    liked = forward.weights_desc();
    scratch = forward.scratchpad_desc();
  }
  p.as_it_lies = liked == w;
  p.from = dnnl::memory(c.backward ? y : x, dnn.engine, nullptr);
  p.to = dnnl::memory(c.backward ? x : y, dnn.engine, nullptr);
  p.w = dnnl::memory(w, dnn.engine, nullptr);
  p.ordered = dnnl::memory(liked, dnn.engine, nullptr);
  if (c.bias) p.bias = dnnl::memory(bias, dnn.engine, nullptr);
  p.scratch = dnnl::memory(scratch, dnn.engine, nullptr);
  p.order = dnnl::reorder(p.w, p.ordered);
  dnn.scratch.reserve(aligned(p.as_it_lies ? 0 : liked.get_size()) + scratch.get_size());
  return p;
}

int onednn_conv(Device* device, const Conv& c, int64_t from, int64_t w, int64_t bias, int64_t to) {
  OneDnn& dnn = *device->onednn;
  try {
    onednn_threads(dnn);
    if (!dnn.convolutions) dnn.convolutions = std::make_shared<Convolutions>();
    auto& made = dnn.convolutions->made;
    auto found = made.find(c);
    if (found == made.end()) found = made.emplace(c, make(dnn, c)).first;
    Primitive& p = found->second;
    p.from.set_data_handle(ptr<void>(from));
    p.to.set_data_handle(ptr<void>(to));
    p.w.set_data_handle(ptr<void>(w));
    size_t ordered_bytes = p.as_it_lies ? 0 : aligned(p.ordered.get_desc().get_size());
    p.ordered.set_data_handle(p.as_it_lies ? ptr<void>(w) : dnn.scratch.memory);
    p.scratch.set_data_handle(static_cast<char*>(dnn.scratch.memory) + ordered_bytes);
    if (!p.as_it_lies) p.order.execute(dnn.stream, p.w, p.ordered);
    std::unordered_map<int, dnnl::memory> arguments{
        {c.backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, p.from},
        {DNNL_ARG_WEIGHTS, p.ordered},
        {c.backward ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST, p.to},
        {DNNL_ARG_SCRATCHPAD, p.scratch}};
    if (c.bias) {
      p.bias.set_data_handle(ptr<void>(bias));
      arguments.emplace(DNNL_ARG_BIAS, p.bias);
    }
    p.run.execute(dnn.stream, arguments);
    dnn.stream.wait();
    return LN_OK;
  } catch (const dnnl::error& e) {
    return fail(LN_FAILED, "oneDNN convolution of %lld x %lld x %lld to %lld: %s", (long long)c.H,
                (long long)c.W, (long long)c.I, (long long)c.O, e.what());
  } catch (const std::exception& e) {
    return fail(LN_OUT_OF_MEMORY, "convolution of %lld x %lld x %lld: %s", (long long)c.H,
                (long long)c.W, (long long)c.I, e.what());
  }
}

}  // namespace ln
