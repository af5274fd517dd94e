package org.loranative.graph;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * The values in an op's record, read off its components: values, optional ones, lists of them and
 * records of them. Those marked {@link Out} are made, all others read; what an op makes it does not
 * read, though a record in it may.
 */
final class Held {
  /** How records of a class are taken apart and put together. */
  private record Form(List<Method> components, List<Boolean> made, Constructor<?> maker) {
    static Form of(Class<?> type) {
      try {
        List<Method> components = new ArrayList<>();
        List<Boolean> made = new ArrayList<>();
        List<Class<?>> types = new ArrayList<>();
        for (RecordComponent c : type.getRecordComponents()) {
          c.getAccessor().setAccessible(true);
          components.add(c.getAccessor());
          made.add(c.isAnnotationPresent(Out.class));
          types.add(c.getType());
        }
        Constructor<?> maker = type.getDeclaredConstructor(types.toArray(Class[]::new));
        maker.setAccessible(true);
        return new Form(List.copyOf(components), List.copyOf(made), maker);
      } catch (NoSuchMethodException e) {
        throw new IllegalStateException(type + " has no canonical constructor", e);
      }
    }

    Object get(int i, Object record) {
      try {
        return components.get(i).invoke(record);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    Object make(Object[] parts) {
      try {
        return maker.newInstance(parts);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static final ClassValue<Form> FORMS =
      new ClassValue<>() {
        @Override
        protected Form computeValue(Class<?> type) {
          return Form.of(type);
        }
      };

  private Held() {}

  static List<Value> read(Op op) {
    Set<Value> read = values(op, false);
    read.removeAll(values(op, true));
    return List.copyOf(read);
  }

  static List<Value> made(Op op) {
    return List.copyOf(values(op, true));
  }

  private static Set<Value> values(Op op, boolean made) {
    Set<Value> values = new LinkedHashSet<>();
    collect(op, false, made, values);
    return values;
  }

  /** Adds the values in {@code part}, itself made or not, that are made, or those that are not. */
  private static void collect(Object part, boolean isMade, boolean made, Set<Value> values) {
    if (part instanceof Value v) {
      if (isMade == made) {
        values.add(v);
      }
    } else if (part instanceof Optional<?> o) {
      o.ifPresent(v -> collect(v, isMade, made, values));
    } else if (part instanceof List<?> all) {
      all.forEach(v -> collect(v, isMade, made, values));
    } else if (part instanceof Record) {
      Form form = FORMS.get(part.getClass());
      for (int i = 0; i < form.components.size(); i++) {
        collect(form.get(i, part), isMade || form.made.get(i), made, values);
      }
    }
  }

  /** The same op, or record, over other values. */
  static Object rebound(Object part, UnaryOperator<Value> f) {
    if (part instanceof Value v) {
      return f.apply(v);
    }
    if (part instanceof Optional<?> o) {
      return o.map(v -> rebound(v, f));
    }
    if (part instanceof List<?> all) {
      return all.stream().map(v -> rebound(v, f)).toList();
    }
    if (part instanceof Record) {
      Form form = FORMS.get(part.getClass());
      Object[] parts = new Object[form.components.size()];
      for (int i = 0; i < parts.length; i++) {
        parts[i] = rebound(form.get(i, part), f);
      }
      return form.make(parts);
    }
    return part;
  }
}
