package io.exactframe.netty.benchmark;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** JSON objects on one line, of strings and numbers only. */
final class Json {
    private static final Pattern FIELD =
            Pattern.compile("\"([^\"]+)\": (?:\"((?:[^\"\\\\]|\\\\.)*)\"|(-?[0-9.]+(?:E-?[0-9]+)?))");

    private Json() {}

    static String write(Map<String, Object> object) {
        return object.entrySet().stream()
                .map(field -> "\"" + field.getKey() + "\": " + value(field.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String value(Object value) {
        if (value instanceof Double number) {
            return Math.abs(number) < 1e7 ? trimmed(number) : String.valueOf(Math.round(number));
        }
        return value instanceof Number
                ? value.toString()
                : '"' + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Four digits are more than any measurement here has. */
    private static String trimmed(double number) {
        return new java.math.BigDecimal(number)
                .round(new java.math.MathContext(Math.abs(number) < 1e4 ? 4 : 7))
                .stripTrailingZeros()
                .toPlainString();
    }

    static Map<String, Object> parse(String line) {
        Map<String, Object> object = new LinkedHashMap<>();
        Matcher field = FIELD.matcher(line);
        while (field.find()) {
            object.put(
                    field.group(1),
                    field.group(2) != null
                            ? field.group(2).replaceAll("\\\\(.)", "$1")
                            : (Object) Double.valueOf(field.group(3)));
        }
        return object;
    }
}
