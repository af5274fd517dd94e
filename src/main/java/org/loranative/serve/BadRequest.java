package org.loranative.serve;

import java.util.Optional;

/** A request that cannot be answered, as OpenAI's clients expect to be told. */
final class BadRequest extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** HTTP's. */
  final int status;

  /** OpenAI's word for it, such as {@code model_not_found}. */
  final String code;

  /** The field at fault. */
  final transient Optional<String> field;

  private BadRequest(int status, String code, Optional<String> field, String message) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** A field that is missing or wrong. */
  static BadRequest of(String field, String message) {
    return new BadRequest(400, "invalid_value", Optional.of(field), message);
  }

  /** A body that is wrong as a whole. */
  static BadRequest body(String message) {
    return new BadRequest(400, "invalid_request", Optional.empty(), message);
  }

  static BadRequest tooLong(String message) {
    return new BadRequest(400, "context_length_exceeded", Optional.of("messages"), message);
  }

  static BadRequest unknownModel(String message) {
    return new BadRequest(404, "model_not_found", Optional.of("model"), message);
  }

  /** Anything else that HTTP has a number for. */
  static BadRequest status(int status, String code, String message) {
    return new BadRequest(status, code, Optional.empty(), message);
  }
}
