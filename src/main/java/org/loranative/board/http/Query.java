package org.loranative.board.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** What a request asks: the values of its address, and its body. */
public final class Query {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST = 1 << 20;

  private final Map<String, String> values = new HashMap<>();

  public Query(String raw) {
    for (String pair : (raw == null ? "" : raw).split("&")) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        try {
          values.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
        } catch (IllegalArgumentException e) {
          throw Refused.notThere("the address is malformed");
        }
      }
    }
  }

  private static String decode(String part) {
    return URLDecoder.decode(part, StandardCharsets.UTF_8);
  }

  /** A value, "" if there is none. */
  public String text(String key) {
    return values.getOrDefault(key, "");
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  public long number(String key, long otherwise) {
    try {
      return has(key) ? Long.parseLong(text(key)) : otherwise;
    } catch (NumberFormatException e) {
      throw Refused.notThere(key + " is no whole number");
    }
  }

  /** The body of a request, a JSON object. */
  public static JsonNode body(HttpExchange exchange) throws IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(MOST + 1);
    if (bytes.length > MOST) {
      throw new Refused(413, "more than a megabyte");
    }
    try {
      JsonNode body = JSON.readTree(bytes);
      if (body == null || !body.isObject()) {
        throw new Refused(400, "a JSON object is expected");
      }
      return body;
    } catch (JacksonException e) {
      throw new Refused(400, "this is no JSON");
    }
  }
}
